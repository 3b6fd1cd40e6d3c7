import type { Virtual } from '../../config/model.ts'
import { hostPort, protocolOf } from '../../model/service.ts'
import { destinationKeyOf } from '../../model/table.ts'
import type { ObservedTable } from '../../table/operation.ts'
import type { Script } from './script.ts'

/** start: no real server is up. stop: one is. */
export type Phase = 'start' | 'stop'

/**
 * The command as Perl ldirectord runs it (behaviour reference 4.7). A mark keeps its `:0 fwm` and stands in
 * LDIRECTORD_FWMARK (defect D50); the brackets of an IPv6 address are quoted, or the shell would look for files (D21).
 */
export function fallbackScript({ id }: Pick<Virtual, 'id'>, command: string, phase: Phase): Script {
  const text = `${command} ${phase} ${targetOf(id)} ${protocolOf(id)}`
  return id.kind === 'fwmark' ? { text, variables: { LDIRECTORD_FWMARK: String(id.mark) } } : { text }
}

/** For the log: what it ran for. The command itself may hold a password. */
export function fallbackSubject({ key }: Pick<Virtual, 'key'>, phase: Phase): string {
  return `${phase} (${key})`
}

function targetOf(id: Virtual['id']): string {
  if (id.kind === 'fwmark') return ':0'
  const target = hostPort(id.address, id.port)
  return id.family === 6 ? `'${target}'` : target
}

/**
 * What a director before us will have told, by the table it left behind: a fallback that serves, or nobody at all, was
 * `start`, a real server that serves `stop`. Undefined where there is no sign of one.
 */
export function phaseLeftBehind(virtual: Virtual, observed: ObservedTable): Phase | undefined {
  const service = observed.services.get(virtual.key)
  if (service === undefined) return undefined
  const serving = [...service.destinations].filter(([, { weight }]) => weight > 0).map(([key]) => key)
  const fallback = virtual.fallback?.destination
  if (fallback === undefined) return serving.length > 0 ? 'stop' : 'start'
  const key = destinationKeyOf(fallback)
  if (serving.some((each) => each !== key)) return 'stop'
  return serving.includes(key) ? 'start' : undefined
}
