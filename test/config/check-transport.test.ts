import assert from 'node:assert/strict'
import { checks } from '../../checks/index.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { planCheck } from '../../src/config/check-plan.ts'
import type { RealLine } from '../../src/config/parsed.ts'
import { collectDiagnostics } from '../../src/lib/diagnostics.ts'

describe('the transport of a check', () => {
  const registry = makeRegistry(checks)
  const transportOf = (service: string, of: { isUdp: boolean; isMark: boolean }): string => {
    const timeouts = { checktimeout: 5, negotiatetimeout: 5 }
    const settings = {
      registry,
      service,
      type: { word: 'negotiate' } as const,
      checkPort: 53,
      timeouts,
      options: {},
      ...of,
    }
    const plan = planCheck(settings, { port: 53, pair: undefined } as RealLine, collectDiagnostics())
    return plan.kind === 'probe' ? plan.spec.transport : plan.kind
  }

  it('is that of the virtual service, and for a mark what Perl ldirectord takes: UDP for dns alone', () => {
    const rows = ['dns', 'sip', 'simpletcp', 'http'].map((service) => [
      service,
      transportOf(service, { isUdp: true, isMark: false }),
      transportOf(service, { isUdp: false, isMark: false }),
      transportOf(service, { isUdp: false, isMark: true }),
    ])
    assert.deepEqual(rows, [
      ['dns', 'udp', 'tcp', 'udp'],
      ['sip', 'udp', 'tcp', 'tcp'],
      ['simpletcp', 'udp', 'tcp', 'tcp'],
      ['http', 'udp', 'tcp', 'tcp'],
    ])
  })
})
