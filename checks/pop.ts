import type { Check } from '../src/check/contract.ts'
import { popFields, probePop } from '../src/check/pop/probe.ts'
import { starttls } from '../src/check/tls-fields.ts'

const fields = { ...popFields, starttls }

/** Up when the banner is `+OK` and, with a login, the server takes it. */
export const pop: Check<typeof fields> = {
  name: 'pop',
  kind: 'negotiate',
  summary: 'waits for the banner of a POP3 server and logs in where there is a login',
  defaultForPorts: [110],
  timeout: 'negotiatetimeout',
  fields,
  run: (target, options, context) => probePop(target, { options, tls: options.starttls, context }),
}
