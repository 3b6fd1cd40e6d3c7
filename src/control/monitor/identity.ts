import type { Real, Virtual } from '../../config/model.ts'
import type { MonitorText } from '../../config/monitor-text.ts'
import { bracketed, protocolOf } from '../../model/service.ts'

/**
 * What a line of the monitor file calls a check, byte for byte as Perl ldirectord does (behaviour reference 5.2): the
 * parts of its own identity with blanks between, those that are empty left out save the last one, `:` in them a blank, no
 * backslashes. Only an IPv6 address stays whole (defect D46).
 */
export function monitorIdentity(virtual: Virtual, real: Real, text: MonitorText): string {
  const { pair } = real
  const head = [
    ...checkOf(virtual, text),
    protocolOf(virtual.id),
    text.virtualHost,
    text.checkPort,
    String(real.weight),
    real.forwarding,
  ].map((part) => part.replace(/:+/g, ' '))
  const at = head.length - 4
  const words = [...head.slice(0, at), bracketed(real.address ?? real.host), String(real.port), ...head.slice(at)]
  const request = pair === undefined ? text.request : withSlash(pair.request)
  const asked = [request, pair?.receive ?? text.receive].map((part) => part.replaceAll(':', ' '))
  const shown = [...words.filter((word) => word !== ''), ...asked].join(' ')
  return shown.replaceAll('\\', '')
}

function checkOf({ checkType, service }: Virtual, { checkCommand }: MonitorText): string[] {
  if (checkType === 'negotiate') return ['negotiate', service]
  if (checkType.startsWith('external')) return [checkType, checkCommand]
  return /^[0-9]/.test(checkType) ? ['combined', service] : [checkType]
}

function withSlash(request: string): string {
  return request.startsWith('/') ? request : `/${request}`
}
