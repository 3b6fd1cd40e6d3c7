import { createHash } from 'node:crypto'
import { Secret } from '../lib/secret.ts'
import type { AnyCheck, Target } from './contract.ts'

/** One check made ready to run. Two probes with the same key give the same answer, so one run serves both. */
export interface Probe {
  readonly key: string
  readonly check: AnyCheck
  readonly target: Target
  readonly options: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
}

/** The key covers every input that can change the result and nothing else; secrets enter it as a digest. */
export function makeProbe(parts: Omit<Probe, 'key'>): Probe {
  const { check, target, options, timeoutMs } = parts
  const used = Object.keys(check.fields)
    .sort()
    .map((name) => [name, identityOf(options[name])])
  const seen = check.seesVirtual === true ? target.virtual : undefined
  const identity = [
    check.kind,
    check.name,
    target.address,
    target.port,
    target.transport,
    seen ?? null,
    timeoutMs,
    used,
  ]
  return { ...parts, key: JSON.stringify(identity) }
}

function identityOf(value: unknown): unknown {
  if (value === undefined) return null
  if (value instanceof Secret) return createHash('sha256').update(`ldirectord-ng:${value.reveal()}`).digest('hex')
  return value
}
