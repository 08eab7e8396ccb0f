import { expect, it } from '@jest/globals'
import { dataFileLocation, metadataFolder } from '../../../jobs/iceberg/metadata/locations.ts'

const place = (properties: Record<string, string>, folders: readonly string[] = []): string =>
  dataFileLocation({ location: 's3://b/t', properties }, folders, 'f.parquet')

it('data files lie in data/ and the partition’s folders, or where write.data.path says', () => {
  expect(place({})).toBe('s3://b/t/data/f.parquet')
  expect(place({ 'write.data.path': '/elsewhere//' }, ['d=1', 'e=2'])).toBe('/elsewhere/d=1/e=2/f.parquet')
})

it('a place that is empty is none', () => {
  expect(place({ 'write.data.path': '' })).toBe('s3://b/t/data/f.parquet')
  const properties = { 'write.metadata.path': '' }
  expect(metadataFolder({ location: 's3://b/t', properties })).toBe('s3://b/t/metadata')
})

it('a location that ends in a slash, as Spark’s LOCATION may, is that without', () => {
  const slashed = { location: 's3://b/t//', properties: {} }
  expect(dataFileLocation(slashed, ['d=1'], 'f.parquet')).toBe('s3://b/t/data/d=1/f.parquet')
  expect(metadataFolder(slashed)).toBe('s3://b/t/metadata')
})

/** As PyIceberg 0.12 computes them; tests/interop compares with PyIceberg itself. */
it('object storage puts folders of the name’s hash first', () => {
  const enabled = { 'write.object-storage.enabled': 'true' }
  expect(place(enabled)).toBe('s3://b/t/data/0111/1111/1110/11001100/f.parquet')
  expect(place(enabled, ['d=1'])).toBe('s3://b/t/data/1001/0111/0000/10101000/d=1/f.parquet')
  expect(place({ ...enabled, 'write.object-storage.partitioned-paths': 'False' }, ['d=1'])).toBe(
    's3://b/t/data/0111/1111/1110/11001100-f.parquet',
  )
})
