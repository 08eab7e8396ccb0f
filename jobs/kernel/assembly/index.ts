export {
  scanRows,
  copyWords,
  copyDoubleWords,
  copyTimestamps,
  copyDates,
  copyNumerics,
  sumLengths,
  copyTexts,
} from './decode'
export { mixWords, mixBytes, mixTexts, addHashes } from './hash'
export { indexBytes, indexInt32s, indexInt64s, indexSpan, indexSpan64 } from './dictionary'
export { encodeIndices } from './hybrid'
export { addChecksums, fillChecksumTables } from './lines'
export { bytesBounds, int32Bounds, int64Bounds, textBounds } from './bounds'
export { packSnappy } from './snappy/pack'
export { plainBytes } from './plain'
export { unpackSnappy } from './snappy/unpack'
export {
  decodeFlags,
  decodeIndices,
  int32Statistics,
  int64Statistics,
  markUsed,
  pickTexts,
  pickWords,
  textPlaces,
  textsSize,
} from './pages'
