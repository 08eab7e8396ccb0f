import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { JobError, asError, systemCode } from '../../errors.ts'

/** System error code -> what it means for the user, and what to do. `%` stands for the path. */
const meanings: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOSPC: ['no space left on the device', 'Free space on the device that holds %, then run again.'],
  EDQUOT: ['the disk quota is used up', 'Free space or raise the quota for %, then run again.'],
  EFBIG: [
    'the file would exceed the file size limit',
    'Raise the limit (ulimit -f) or write elsewhere than %.',
  ],
  EACCES: ['permission denied', 'Give this user access to %, or choose another folder.'],
  EPERM: ['operation not permitted', 'Give this user access to %, or choose a file system with hard links.'],
  ELOOP: [
    'symbolic links lead in a circle',
    'Remove or mend the symbolic links of %, or choose another folder.',
  ],
  ENOENT: [
    'it is not there, or a symbolic link leads nowhere',
    'Make the folder that % lies in, or mend the symbolic link.',
  ],
  EROFS: ['the file system is read-only', 'Mount the file system of % writable, or choose another folder.'],
  ENOTDIR: [
    'a part of the path is a file, not a folder',
    'Choose a folder instead of %, or remove the file.',
  ],
  EEXIST: ['a part of the path is a file, not a folder', 'Choose a folder instead of %, or remove the file.'],
  EISDIR: ['a folder is in the way', 'Remove the folder at %, or choose another place.'],
  ENOTEMPTY: ['a folder is in the way', 'Remove the folder at %, or choose another place.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter path than %.'],
  EMFILE: ['too many open files', 'Raise the limit (ulimit -n), then run again (%).'],
  ENOTSUP: [
    'the file system cannot create a file only if absent',
    'Use a file system with hard links for %.',
  ],
}

const sticky = [
  'the folder is sticky (mode +t), so that nobody replaces or removes what another user made there',
  'Remove % as the user who made it, or choose another folder.',
] as const

/** Whether the folder of `path` keeps each user's files for himself, as /tmp does. */
function inSticky(path: string): boolean {
  const folder = statSync(dirname(path), { throwIfNoEntry: false })
  return folder !== undefined && (folder.mode & 0o1000) !== 0
}

/** A failed operation on a local path as a `JobError('failed')` naming path and fix; other errors unchanged. */
export function localError(
  thrown: unknown,
  doing: 'read' | 'write' | 'delete' | 'list',
  path: string,
): Error {
  const code = systemCode(thrown)
  if (code === undefined || thrown instanceof JobError) return asError(thrown)
  const [what, fix] = (code === 'EPERM' && inSticky(path) ? sticky : meanings[code]) ?? [
    asError(thrown).message,
    'Check the disk that holds %, then run again.',
  ]
  return new JobError('failed', `cannot ${doing} ${path}: ${what} (${code})`, {
    field: path,
    fix: fix.replace('%', path),
    cause: thrown,
  })
}
