/** The fewest bytes whose two's complement holds every decimal of `precision` digits (Iceberg spec App. A). */
export const leastDecimalWidth = (precision: number): number => Math.ceil((Math.log2(10) * precision + 1) / 8)

/** Bytes of a decimal in a vector, as in Parquet's pages: those of an int32 or int64, or the fewest (Parquet, "DECIMAL"). */
export function decimalWidth(precision: number): number {
  if (precision <= 9) return 4
  return precision <= 18 ? 8 : leastDecimalWidth(precision)
}
