import type { Check } from '../src/check/contract.ts'
import { ldapFields, probeLdap } from '../src/check/ldap/probe.ts'
import { ldap } from './ldap.ts'

/** The ldap check over TLS from the first byte. */
export const ldaps: Check<typeof ldapFields> = {
  ...ldap,
  name: 'ldaps',
  summary: 'as ldap, over TLS',
  defaultForPorts: [636],
  fields: ldapFields,
  run: (target, options, context) => probeLdap(target, { options, tls: 'at once', context }),
}
