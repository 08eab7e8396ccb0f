import { JobError, asError, systemCode, usageError, type ErrorDetails } from '../../errors.ts'
import { pg } from './pg.ts'
import { TlsFailure } from './open-stream.ts'
import { passwordField } from './password.ts'
import { addressOf, isSocketFolder, type NamedFile, type PostgresSettings } from './settings.ts'

/**
 * What a failure to connect means. Wrong credentials, certificates and names are configuration (exit 2), a server that is
 * away is not (exit 1); the error's `field` is the environment name to correct. No message ever holds the password.
 */
export function connectError(thrown: unknown, settings: PostgresSettings, prefix: string): JobError {
  if (thrown instanceof JobError) return thrown
  const { host, port, database, user } = settings
  const cause = asError(thrown)
  const address = addressOf(settings)
  const server = `PostgreSQL at ${address}`
  if (thrown instanceof TlsFailure) return tlsError(thrown, settings, prefix)
  switch (systemCode(thrown)) {
    case '28P01': {
      const field = passwordField(settings.password, prefix)
      return usageError(`${server} refuses the password of user ${user}`, {
        field,
        fix: `correct ${field} or ${prefix}_USER; a server keeps the password it was made with, until ALTER USER "${user}" PASSWORD '…' in it`,
        cause,
      })
    }
    case '28000':
      return usageError(`${server} does not let user ${user} into database ${database}: ${cause.message}`, {
        ...refusal(cause.message, prefix),
        cause,
      })
    case '42501':
      return usageError(`${server} does not let user ${user} into database ${database}: ${cause.message}`, {
        field: `${prefix}_USER`,
        fix: `as the owner run: GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${pg.escapeIdentifier(user)};`,
        cause,
      })
    case '3D000':
      return usageError(`${server} has no database ${database}`, {
        field: `${prefix}_DB`,
        fix: `correct ${prefix}_DB, or create the database`,
        cause,
      })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new JobError('failed', `no host is called ${host}`, {
        field: `${prefix}_HOST`,
        fix: `correct ${prefix}_HOST, or start the server that has this name`,
        cause,
      })
    case 'ECONNREFUSED':
    case 'ENOENT':
      return new JobError('failed', `nothing listens at ${address}`, {
        field: `${prefix}_HOST`,
        fix: `start PostgreSQL there, or correct ${prefix}_HOST and ${prefix}_PORT`,
        cause,
      })
    case 'EACCES':
      return usageError(`${address} may not be opened`, {
        field: `${prefix}_HOST`,
        fix: 'let the user that runs lakejobs use the socket, or connect by TCP',
        cause,
      })
    default:
  }
  if (/^ERR_SSL_.*(CERT|UNKNOWN_CA|BAD_CERT)/.test(systemCode(thrown) ?? ''))
    return clientCertificate(cause, prefix)
  if (cause.message.startsWith('SASL')) {
    return usageError(`${server} cannot agree with us on user ${user}'s password: ${cause.message}`, {
      field: passwordField(settings.password, prefix),
      fix: `correct ${passwordField(settings.password, prefix)}, or the server's authentication method`,
      cause,
    })
  }
  return new JobError('failed', `cannot connect to ${server}: ${cause.message}`, {
    field: `${prefix}_HOST`,
    fix: isSocketFolder(host)
      ? `see whether a PostgreSQL server listens in ${host}`
      : `see whether ${host}:${port} is reachable and is a PostgreSQL server`,
    cause,
  })
}

/** pg_hba.conf says no; the server's words tell whether encryption or a certificate would make it a yes. */
function refusal(message: string, prefix: string): ErrorDetails {
  if (message.includes('client certificate')) {
    return {
      field: `${prefix}_SSLCERT`,
      fix: `set ${prefix}_SSLCERT and ${prefix}_SSLKEY to a certificate that the server's CA signed, and its key`,
    }
  }
  if (/no encryption|SSL off/.test(message)) {
    return {
      field: `${prefix}_SSLMODE`,
      fix: `set ${prefix}_SSLMODE=require, or allow the connection in pg_hba.conf`,
    }
  }
  return { field: `${prefix}_USER`, fix: `correct ${prefix}_USER, or allow the connection in pg_hba.conf` }
}

const clientCertificate = (cause: Error, prefix: string): JobError =>
  usageError(
    `the server refuses our certificate: ${cause.message.replace(/^.*:SSL routines:[^:]*:|:[^:]*:SSL alert.*$/gs, '')}`,
    {
      field: `${prefix}_SSLCERT`,
      fix: `set ${prefix}_SSLCERT and ${prefix}_SSLKEY to a certificate that the server's CA signed and that has not expired`,
      cause,
    },
  )

function tlsError(failure: TlsFailure, settings: PostgresSettings, prefix: string): JobError {
  const server = `PostgreSQL at ${addressOf(settings)}`
  const mode = settings.tls?.mode ?? 'disable'
  switch (failure.reason) {
    case 'not offered':
      return usageError(`${server} has no TLS, which ${prefix}_SSLMODE=${mode} asks for`, {
        field: `${prefix}_SSLMODE`,
        fix: `set ssl = on in the server's postgresql.conf, or ${prefix}_SSLMODE=prefer`,
        cause: failure,
      })
    case 'host':
      return usageError(`${failure.message}, as ${prefix}_SSLMODE=verify-full asks for`, {
        field: `${prefix}_HOST`,
        fix: `set ${prefix}_HOST to a name that the certificate is for, or ${prefix}_SSLMODE=verify-ca`,
        cause: failure,
      })
    case 'certificate':
      return certificateError(failure, settings, prefix)
    case 'handshake':
      if (/CERT|UNKNOWN_CA/.test(failure.code ?? '')) return clientCertificate(failure, prefix)
      return new JobError('failed', `${server} and we do not agree on TLS: ${failure.message}`, {
        field: `${prefix}_SSLMODE`,
        fix: `see the server's log, and whether a PostgreSQL server with TLS 1.2 or newer is there`,
        cause: failure,
      })
  }
}

function certificateError(failure: TlsFailure, { tls }: PostgresSettings, prefix: string): JobError {
  const field = fileField(tls?.rootCert) ?? `${prefix}_SSLROOTCERT`
  switch (failure.code) {
    case 'CERT_HAS_EXPIRED':
      return usageError('the server’s certificate, or its CA’s, has expired', {
        field,
        fix: `renew the server's certificate, or the CA's in ${field}`,
        cause: failure,
      })
    case 'CERT_NOT_YET_VALID':
      return usageError('the server’s certificate is not valid yet', {
        field,
        fix: "set this machine's clock right, or renew the server's certificate",
        cause: failure,
      })
    default:
      return usageError(`no CA of ${field} has signed the server’s certificate: ${failure.message}`, {
        field,
        fix: `set ${field} to the PEM file of the CA that signed it`,
        cause: failure,
      })
  }
}

const fileField = (file: NamedFile | 'system' | undefined): string | undefined =>
  typeof file === 'object' ? file.field : undefined
