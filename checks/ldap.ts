import type { Check } from '../src/check/contract.ts'
import { ldapFields, probeLdap } from '../src/check/ldap/probe.ts'
import { starttls } from '../src/check/tls-fields.ts'

const fields = { ...ldapFields, starttls }

/** Up when the search in `request` finds exactly one entry and its name matches `receive`. */
export const ldap: Check<typeof fields> = {
  name: 'ldap',
  kind: 'negotiate',
  summary: 'binds to a directory, anonymously without login and passwd, and looks for the one entry in request',
  defaultForPorts: [389],
  timeout: 'checktimeout',
  fields,
  run: (target, options, context) => probeLdap(target, { options, tls: options.starttls, context }),
}
