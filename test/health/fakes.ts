import type { Check, CheckContext } from '../../src/check/contract.ts'
import { makeProbe, type Probe } from '../../src/check/probe.ts'
import type { RealKey } from '../../src/config/model.ts'
import type { Subscription } from '../../src/health/pool.ts'
import { type CheckResult, up } from '../../src/model/verdict.ts'

export const key = (name: string): RealKey => name as RealKey

export interface FakeOptions {
  readonly address?: string
  readonly kind?: Check['kind']
  readonly timeoutMs?: number
}

/** A probe whose check is the function given; `name` makes its key. */
export function fakeProbe(
  name: string,
  run: (context: CheckContext) => Promise<CheckResult>,
  { address = '192.0.2.20', kind = 'negotiate', timeoutMs = 1000 }: FakeOptions = {},
): Probe {
  const check: Check = {
    name,
    kind,
    summary: 'a fake',
    defaultForPorts: [],
    timeout: 'negotiatetimeout',
    fields: {},
    run: (_target, _options, context) => run(context),
  }
  return makeProbe({ check, target: { address, family: 4, port: 80, transport: 'tcp' }, options: {}, timeoutMs })
}

export function subscription(name: string, probe: Probe, intervalMs: number): Subscription {
  return { key: key(name), checking: { kind: 'probe', probe }, intervalMs }
}

/** Waits for as long as the virtual clock says, or until the signal fires; then rejects with its reason. */
export function obeying(context: CheckContext): Promise<CheckResult> {
  return new Promise((_resolve, reject) => {
    context.signal.addEventListener('abort', () => reject(context.signal.reason), { once: true })
  })
}

/** A check that ends when the test says so and does not listen to its signal. */
export interface Held {
  readonly run: (context: CheckContext) => Promise<CheckResult>
  /** Ends the oldest run that is open. */
  end(result?: CheckResult): void
  readonly open: number
  readonly started: number
}

export function held(): Held {
  const waiting: ((result: CheckResult) => void)[] = []
  let started = 0
  return {
    run: () => {
      started += 1
      return new Promise((resolve) => waiting.push(resolve))
    },
    end: (result = up('held')) => waiting.shift()?.(result),
    get open() {
      return waiting.length
    },
    get started() {
      return started
    },
  }
}
