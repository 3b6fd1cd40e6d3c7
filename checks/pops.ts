import type { Check } from '../src/check/contract.ts'
import { popFields, probePop } from '../src/check/pop/probe.ts'
import { pop } from './pop.ts'

/** The pop check over TLS from the first byte. */
export const pops: Check<typeof popFields> = {
  ...pop,
  name: 'pops',
  summary: 'as pop, over TLS',
  defaultForPorts: [995],
  fields: popFields,
  run: (target, options, context) => probePop(target, { options, tls: 'at once', context }),
}
