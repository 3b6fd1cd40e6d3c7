import type { Registry } from '../../check/registry.ts'
import { firstWord } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { didYouMean } from '../../lib/suggest.ts'

/** Every service a config may name, with the port that stands for it (behaviour reference 2.10). */
const SERVICES: Readonly<Record<string, number | undefined>> = {
  dns: 53,
  ftp: 21,
  http: 80,
  https: 443,
  http_proxy: 3128,
  imap: 143,
  imaps: 993,
  ldap: 389,
  ldaps: 636,
  mysql: 3306,
  nntp: 119,
  none: undefined,
  oracle: 1521,
  pop: 110,
  pops: 995,
  radius: 1812,
  pgsql: 5432,
  simpletcp: undefined,
  sip: 5060,
  smtp: 25,
  submission: 587,
}

export function decodeService(directive: Directive, report: Reporter): string | undefined {
  const word = firstWord(directive)
  if (word !== undefined && Object.hasOwn(SERVICES, word.text)) return word.text
  const names = Object.keys(SERVICES)
  const message = `service must be ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
  const hint = word === undefined ? undefined : didYouMean(word.text, names)
  report.error('value', message, word?.at ?? directive.valueAt, hint)
  return undefined
}

/** The service of a virtual service's port; `none` for any other port. */
export function serviceOfPort(port: number, registry: Registry): string {
  const declared = registry.all.find((check) => check.kind === 'negotiate' && check.defaultForPorts.includes(port))
  if (declared !== undefined) return declared.name
  return Object.entries(SERVICES).find(([, each]) => each === port)?.[0] ?? 'none'
}

/** The port that is checked where the real server has none; 0 when the service has none either. */
export function portOfService(service: string, registry: Registry): number {
  return registry.ofService(service)?.defaultForPorts[0] ?? SERVICES[service] ?? 0
}

/**
 * What a check uses where login or passwd is absent (behaviour reference 2.12): for a service that was inferred from
 * the port too (its 7.3). The names are those of the directives.
 */
export function credentialDefaults(service: string, hostname: string): Readonly<Record<string, string>> {
  if (service === 'ftp') return { login: 'anonymous', passwd: `ldirectord@${hostname}` }
  if (service === 'sip') return { login: `ldirectord@${hostname}` }
  return {}
}
