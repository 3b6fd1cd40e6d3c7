import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

const DAY_MS = 86_400_000
/** An end of a certificate that is nearer is worth a word. */
const WARN_MS = 14 * DAY_MS

/** What a server showed of itself. */
export interface Shown {
  readonly certificate: X509Certificate
  /** OpenSSL's word on the chain, as Node names it; undefined for a chain that ends at a known authority. */
  readonly chainFault: string | undefined
  /** Host name or address it should be for. */
  readonly wanted: string
  /** Wall clock, milliseconds since 1970. */
  readonly now: number
}

/** What an operator wants to know of it; texts are the server's own and not yet printable. */
export interface Judgement {
  /** For the trace. */
  readonly notes: readonly string[]
  /** It has expired or will soon; not said of self-signed ones, which sites have by the thousand and nobody looks at. */
  readonly warning: string | undefined
  /** Why a check that verifies gives up; undefined for a good one. */
  readonly fault: string | undefined
}

export function judgeCertificate({ certificate, chainFault, wanted, now }: Shown): Judgement {
  const names = namesOf(certificate)
  const chain = chainFault === undefined ? undefined : chainText(chainFault)
  const named = matches(certificate, wanted)
  const notes = [
    `certificate of ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''} until ${dayOf(certificate.validTo)}`,
    `its chain: ${chain ?? 'trusted'}; its name: ${named ? 'is' : 'is not'} ${wanted}`,
  ]
  const selfSigned = certificate.subject === certificate.issuer
  return {
    notes,
    warning: selfSigned ? undefined : expiry({ certificate, chainFault, name: names[0] ?? '', now }),
    fault: chain ?? (named ? undefined : `the certificate is for ${names.slice(0, 3).join(', ')}, not for ${wanted}`),
  }
}

/** The text stays the same from day to day, for it is said again when it changes. */
function expiry(about: {
  certificate: X509Certificate
  chainFault: string | undefined
  name: string
  now: number
}): string | undefined {
  const { certificate, chainFault, name, now } = about
  const end = Date.parse(certificate.validTo)
  const of = `the certificate of ${name}`
  if (end < now) return `${of} has expired on ${dayOf(certificate.validTo)}`
  if (end < now + WARN_MS) return `${of} ends on ${dayOf(certificate.validTo)}`
  return chainFault === 'CERT_HAS_EXPIRED' ? `${of} rests on one that has expired` : undefined
}

function matches(certificate: X509Certificate, wanted: string): boolean {
  const found = isIP(wanted) === 0 ? certificate.checkHost(wanted) : certificate.checkIP(wanted)
  return found !== undefined
}

/** DNS names and addresses of the certificate, else its common name. */
function namesOf({ subjectAltName = '', subject = '' }: X509Certificate): string[] {
  const names = subjectAltName.split(', ').flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? [])
  if (names.length > 0) return names
  return [/^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? 'nobody']
}

function dayOf(date: string): string {
  const time = Date.parse(date)
  return Number.isNaN(time) ? date : new Date(time).toISOString().slice(0, 10)
}

/** OpenSSL's own texts of what is met daily; Node gives the codes only. */
const chainTexts: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in certificate chain',
  UNABLE_TO_GET_ISSUER_CERT: 'unable to get issuer certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to verify the first certificate',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
}

function chainText(code: string): string {
  return chainTexts[code] ?? code.toLowerCase().replaceAll('_', ' ')
}
