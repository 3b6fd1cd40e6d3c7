import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { codeOf, messageOf } from '../lib/errors.ts'
import { LocalFailure } from './failure.ts'
import type { TlsSettings } from './tls-fields.ts'

const MOST_FILE_BYTES = 4 << 20
/** More sets of files than a configuration has; what is beyond is made anew each time. */
const MOST_KEPT = 1000

/** Where Debian, Red Hat, SUSE and Alpine keep the authorities they trust. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

interface Kept {
  readonly stamp: string
  readonly context: SecureContext
}
const kept = new Map<string, Kept>()

type Files = Pick<TlsSettings, 'tlsca' | 'tlscert' | 'tlskey'>

/**
 * What OpenSSL needs for a connection with these files. Made once, and again when one of them changes: authorities are
 * many, and to read them costs more than a handshake.
 *
 * @throws LocalFailure for a file that cannot be read or used
 */
export async function tlsContext(files: Files): Promise<SecureContext> {
  const { tlsca, tlscert } = files
  const key = files.tlskey ?? tlscert
  if (key !== undefined && tlscert === undefined) throw new LocalFailure('local-resource', 'tlskey without tlscert')
  const ca = tlsca ?? (await systemBundle())
  const paths = [ca, tlscert, key]
  const stamp = (await Promise.all(paths.map(stampOf))).join(' ')
  const name = JSON.stringify(paths)
  const known = kept.get(name)
  if (known?.stamp === stamp) return known.context
  const context = await makeContext({ ca, cert: tlscert, key })
  if (kept.size < MOST_KEPT || known !== undefined) kept.set(name, { stamp, context })
  return context
}

async function systemBundle(): Promise<string | undefined> {
  for (const path of systemBundles) {
    if ((await stat(path).catch(() => undefined))?.isFile() === true) return path
  }
  return undefined
}

/** Changes when the file does, also when another is put in its place. */
async function stampOf(path: string | undefined): Promise<string> {
  if (path === undefined) return ''
  const { mtimeMs, ctimeMs, ino, size } = await seen(path)
  return `${mtimeMs}/${ctimeMs}/${ino}/${size}`
}

async function seen(path: string) {
  try {
    const found = await stat(path)
    if (found.isFile() && found.size <= MOST_FILE_BYTES) return found
  } catch (error) {
    throw unreadable(path, codeOf(error) ?? messageOf(error))
  }
  throw unreadable(path, 'it is no file of a certificate')
}

const hasCertificate = /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/

interface Paths {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

async function makeContext({ ca, cert, key }: Paths): Promise<SecureContext> {
  const [authorities, own, secret] = await Promise.all([read(ca), read(cert), read(key)])
  // Node takes a file without any for an empty list
  if (ca !== undefined && !hasCertificate.test(authorities?.toString('latin1') ?? '')) {
    throw unreadable(ca, 'no certificate in it')
  }
  try {
    return createSecureContext({
      // a real server of a certain age is not down for its old protocol or short key
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(own === undefined ? {} : { cert: own }),
      ...(secret === undefined ? {} : { key: secret }),
    })
  } catch (error) {
    const suspects = cert === undefined ? [ca ?? ''] : [...new Set([cert, key ?? cert])]
    throw unreadable(suspects.join(', '), messageOf(error).replace(/^error:[0-9A-F]+:/, ''))
  }
}

async function read(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path)
  } catch (error) {
    throw unreadable(path, codeOf(error) ?? messageOf(error))
  }
}

function unreadable(path: string, why: string): LocalFailure {
  return new LocalFailure('local-resource', `${path} cannot be used for TLS: ${why}`)
}
