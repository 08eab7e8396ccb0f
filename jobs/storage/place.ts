import { resolve } from 'node:path'
import { usageError } from '../errors.ts'
import { homeFolder } from './home-folder.ts'

/** A URI, whatever its scheme. */
const schemeAndRest = /^([a-z][a-z0-9+.-]*):(.*)$/is

/**
 * One spelling for a location that others wrote (foreign Iceberg metadata): `/x`, `file:/x` and
 * `file://localhost/x` are `file:///x`, `s3a:` and `s3n:` are `s3:`. Nothing is decoded: to PyIceberg, to
 * Hadoop's `Path` (Spark, Trino) and to DuckDB the text after `file://` is the path itself, so that an encoded
 * location in a table's metadata would name another file than ours.
 */
export function canonicalLocation(location: string): string {
  const [, scheme, rest] = schemeAndRest.exec(location) ?? []
  if (scheme === undefined || rest === undefined) return location.replace(/^\/+/, 'file:///')
  const lower = scheme.toLowerCase()
  if (lower === 's3a' || lower === 's3n') return `s3:${rest}`
  if (lower !== 'file') return `${lower}:${rest}`
  return `file://${rest.replace(/^\/\/localhost(?=\/)/i, '').replace(/^\/+/, '/')}`
}

/**
 * The canonical location of what a user gave for `field`: a folder (`./x`, `/x`, `~/x`; relative to `cwd`), a file
 * URI (RFC 8089, percent-decoded: `file:///a%20b` is the folder `/a b`), `s3://bucket/prefix` or `s3a://…`.
 * Absolute, without trailing slash, except the root folder `file:///`. Throws a usage error that names `field`.
 */
export function parsePlace(text: string, field: string, cwd: string): string {
  const wrong = (why: string, fix: string): Error => usageError(`${field}: ${text}: ${why}`, { field, fix })
  const folderOrUri = 'Give a folder, a file:/// URI or an s3://bucket/prefix URI.'
  if (text === '') throw wrong('an empty place', folderOrUri)
  if (text.includes('\0')) throw wrong('a place cannot hold a NUL', folderOrUri)

  if (!schemeAndRest.test(text)) {
    const isInHome = text === '~' || text.startsWith('~/')
    const home = isInHome ? homeFolder() : ''
    if (home === undefined) throw wrong('this user has no home folder', 'Write the whole path, or set HOME.')
    const path = isInHome ? home + text.slice(1) : text
    return `file://${resolve(cwd, path)}`
  }
  const location = canonicalLocation(text)
  const scheme = location.slice(0, location.indexOf(':') + 1)
  if (scheme === 'file:') {
    if (/^file:(?!\/)/i.test(text))
      throw wrong('a file URI is absolute', 'Write file:///folder, or ./folder.')
    if (/^file:\/\/(?!\/|localhost\/)/i.test(text)) {
      throw wrong('a file URI cannot name a host', 'Write file:///folder with three slashes.')
    }
    try {
      return `file://${resolve(decodeURIComponent(location.slice('file://'.length)))}`
    } catch {
      throw wrong('not a valid file URI', 'Write % as %25, or give the plain path instead of a URI.')
    }
  }
  if (scheme !== 's3:') throw wrong(`unknown scheme ${scheme}//`, folderOrUri)

  const [, bucket, key] = /^s3:\/\/([^/]+)((?:\/.*)?)$/s.exec(location) ?? []
  if (bucket === undefined || key === undefined) throw wrong('no bucket', 'Write s3://bucket/prefix.')
  const prefix = key.replace(/\/+$/, '')
  const segments = prefix.split('/').slice(1)
  if (segments.some((segment) => ['', '.', '..'].includes(segment))) {
    throw wrong('an S3 key has no empty, "." or ".." parts', 'Write the prefix out, as s3://bucket/a/b.')
  }
  return `s3://${bucket}${prefix}`
}

/** A location as `parsePlace` takes it for the same: a URI of a file would be percent-decoded. */
export const placeText = (location: string): string => canonicalLocation(location).replace(/^file:\/\//, '')

/** The location below `location`; a segment may hold slashes of its own. */
export const join = (location: string, ...segments: readonly string[]): string =>
  (location.endsWith('/') ? location : `${location}/`) + segments.join('/')

/** Whether a text can be the name of one folder or file, on a disk and in an object store. */
export const isFolderName = (text: string): boolean =>
  text !== '' && text !== '.' && text !== '..' && !/[/\\\p{Cc}]/u.test(text)

/** The last part of a location. */
export const basename = (location: string): string => location.slice(location.lastIndexOf('/') + 1)
