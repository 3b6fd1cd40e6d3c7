import { createMemoryTable } from '../../src/backend/memory.ts'
import type { Config, Fallback, Globals, Real, Virtual } from '../../src/config/model.ts'
import { createDirector, type Director } from '../../src/control/director.ts'
import { createOperator, type Operator, type OperatorPorts } from '../../src/control/operator/operator.ts'
import { wordEvent } from '../../src/log/wording.ts'
import type { Event } from '../../src/model/events.ts'
import { type ServiceId, serviceKeyOf } from '../../src/model/service.ts'
import type { Forwarding } from '../../src/model/table.ts'
import { type CheckResult, down, up } from '../../src/model/verdict.ts'
import { formatSaved } from '../../src/table/notation.ts'
import type { TableBackend } from '../../src/table/operation.ts'
import { defaultGlobals, defaultVirtual } from '../config/defaults.ts'
import { fakeProbe } from '../health/fakes.ts'
import { createVirtualClock, type VirtualClock } from '../lib/virtual-clock.ts'

const at = { file: 'test.cf', line: 1, column: 1, length: 1 }

export const vip = {
  kind: 'address',
  protocol: 'tcp',
  family: 4,
  address: '192.0.2.1',
  port: 80,
} as const satisfies ServiceId

export interface VirtualParts extends Partial<Omit<Virtual, 'reals' | 'fallback' | 'key'>> {
  readonly reals?: readonly Real[]
  readonly fallback?: string
}

export function virtual(parts: VirtualParts = {}): Virtual {
  const id = parts.id ?? vip
  const fallback: Fallback | undefined =
    parts.fallback === undefined
      ? undefined
      : {
          at,
          host: parts.fallback,
          destination: { address: parts.fallback, port: 80, forwarding: 'masq', weight: 1, upper: 0, lower: 0 },
        }
  return {
    at,
    settings: { scheduler: 'rr', schedulerFlags: 0, persistence: undefined, onePacket: false },
    ...defaultVirtual,
    checkType: 'negotiate',
    service: 'http',
    ...parts,
    id,
    key: serviceKeyOf(id),
    reals: parts.reals ?? [],
    fallback,
  }
}

export function configOf(virtuals: readonly Virtual[], globals: Partial<Globals> = {}): Config {
  return {
    file: '/etc/test.cf',
    digest: 'x',
    globals: { ...defaultGlobals, logfile: '/dev/null', ...globals },
    virtuals,
    unresolved: [],
  }
}

/** A director in virtual time over a table in memory, whose real servers answer as the test says. */
export interface Stage {
  readonly clock: VirtualClock
  readonly table: TableBackend
  readonly director: Director
  /** It has no config before `onConfig` or `prepare`, and holds nothing. */
  readonly operator: Operator
  /** What was told, in the log's words. */
  readonly log: string[]
  /** A real server whose check answers what `answers` says at that moment. */
  real(address: string, parts?: { weight?: number; forwarding?: Forwarding; check?: string }): Real
  /** By address; absent is up. `silent` never answers. */
  readonly answers: Map<string, CheckResult | 'silent'>
  /** The table as `ipvsadm -S -n` prints it, without the newline at the end. */
  saved(): Promise<string[]>
  advance(ms: number): Promise<void>
}

export const bad = down('refused', 'connection refused')
export const good = up('200 OK')

/** Who stands beside the director and holds real servers out. */
export type MakeOperator = (ports: Pick<OperatorPorts, 'clock' | 'tell' | 'director'>) => Operator

export function createStage(
  table: TableBackend = createMemoryTable(),
  makeOperator: MakeOperator = (ports) => createOperator(ports),
): Stage {
  const clock = createVirtualClock()
  const answers = new Map<string, CheckResult | 'silent'>()
  const log: string[] = []
  const tell = (event: Event): void => {
    log.push(...wordEvent(event, { pid: 1, version: '0' }).lines)
  }
  const operator = makeOperator({ clock, tell, director: () => director })
  const { holds, onChange } = operator
  const director: Director = createDirector({
    backend: table,
    clock,
    tell,
    concurrency: 10,
    holds,
    onChange: () => onChange?.(),
  })
  const signal = new AbortController().signal
  return {
    clock,
    table,
    director,
    operator,
    log,
    answers,
    real: (address, { weight = 1, forwarding = 'masq', check = 'http' } = {}) => ({
      id: `${address}:80 ${check}`,
      at,
      host: address,
      address,
      family: 4,
      port: 80,
      effectivePort: 80,
      forwarding,
      weight,
      upper: 0,
      lower: 0,
      checking: {
        kind: 'probe',
        probe: fakeProbe(
          `${check} ${address}`,
          async (context) => {
            const answer = answers.get(address) ?? good
            if (answer !== 'silent') return answer
            return await new Promise((resolve) => {
              context.signal.addEventListener('abort', () => resolve(down('timeout', 'no answer')), { once: true })
            })
          },
          { address },
        ),
      },
    }),
    saved: async () => {
      const { keys } = await table.read(new Set(), signal)
      const { services } = await table.read(keys, signal)
      const text = formatSaved([...services.values()] as never)
      return text.split('\n').filter((line) => line !== '')
    },
    advance: async (ms) => {
      await clock.advance(ms)
      await clock.settle()
    },
  }
}
