import { describe, expect, it } from '@jest/globals'
import type { CatalogColumn } from '../../../jobs/postgres/source/catalog.ts'
import { planColumns, type ColumnOptions } from '../../../jobs/postgres/source/columns.ts'

const column = (name: string, base: string, typmod = -1): CatalogColumn => ({
  name,
  attnum: 1,
  base,
  element: undefined,
  typmod,
  notNull: true,
  virtual: false,
  declared: base,
  isText: false,
  readable: true,
})
/** numeric(p,s) as pg_attribute has it. */
const numeric = (name: string, precision: number, scale: number): CatalogColumn =>
  column(name, 'numeric', ((precision << 16) | scale) + 4)

const plan = (one: CatalogColumn, options: ColumnOptions): string[] =>
  planColumns({ table: 'public.t', isOneOfSeveral: false, optional: false }, [one], options).columns.map(
    ({ expression, wire, type, required }) => `${expression} ${wire} ${JSON.stringify(type)} ${required}`,
  )

describe('columns that are wider in the lake', () => {
  const wider: ColumnOptions = {
    wider: {
      i: { kind: 'long' },
      f: { kind: 'double' },
      d: { kind: 'decimal', precision: 20, scale: 2 },
    },
  }

  it('are read as what the lake has', () => {
    for (const base of ['int2', 'int4'])
      expect(plan(column('i', base), wider)).toEqual(['"i"::bigint int8 {"kind":"long"} true'])
    expect(plan(column('f', 'float4'), wider)).toEqual([
      '"f"::double precision float8 {"kind":"double"} true',
    ])
    expect(plan(numeric('d', 9, 2), wider)).toEqual([
      '"d" numeric {"kind":"decimal","precision":20,"scale":2} true',
    ])
  })

  it('but only by Iceberg’s promotions; the table then refuses the rest', () => {
    expect(plan(column('d', 'int4'), wider)).toEqual(['"d" int4 {"kind":"int"} true'])
    expect(plan(column('f', 'int4'), wider)).toEqual(['"f" int4 {"kind":"int"} true'])
    expect(plan(column('i', 'float4'), wider)).toEqual(['"i" float4 {"kind":"float"} true'])
    expect(plan(numeric('d', 9, 3), wider)).toEqual([
      '"d" numeric {"kind":"decimal","precision":9,"scale":3} true',
    ])
    expect(plan(numeric('d', 30, 2), wider)).toEqual([
      '"d" numeric {"kind":"decimal","precision":30,"scale":2} true',
    ])
  })

  it('are read as --cast says where it says so', () => {
    expect(plan(column('i', 'int4'), { ...wider, casts: { i: 'smallint' } })).toEqual([
      '"i"::smallint int2 {"kind":"int"} true',
    ])
  })
})
