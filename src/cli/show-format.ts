import type { EntryStatus, RealStatus, StatusReport, VirtualStatus } from '../api/status-report.ts'
import { printable } from '../lib/printable.ts'
import type { Traffic } from '../table/details.ts'
import { formatColumns } from './columns.ts'
import { formatAge } from './duration.ts'

export interface ShowOptions {
  readonly numbers: 'connections' | 'totals' | 'rates'
  /** Milliseconds since 1970. */
  readonly now: number
}

const heads: Readonly<Record<ShowOptions['numbers'], readonly string[]>> = {
  connections: ['Forward', 'Weight', 'ActiveConn', 'InActConn'],
  totals: ['Conns', 'InPkts', 'OutPkts', 'InBytes', 'OutBytes'],
  rates: ['CPS', 'InPPS', 'OutPPS', 'InBPS', 'OutBPS'],
}

const methods: Readonly<Record<string, string>> = { gate: 'Route', masq: 'Masq', ipip: 'Tunnel' }

/** For people: the table as `ipvsadm -Ln` tells it, with the health of each real server beside it. */
export function formatStatus(report: StatusReport, options: ShowOptions): string {
  const head = ['Prot LocalAddress:Port Scheduler', ...heads[options.numbers], 'State', 'For', 'Last check']
  const rows = report.virtuals.flatMap((virtual) => rowsOf(virtual, options))
  const table = formatColumns([head, ...rows])
  const gone = report.intents.filter(({ configured }) => !configured)
  const remarks = [
    ...(report.refused === null
      ? []
      : [`The file that lies there now is not in force: ${report.refused.reasons.join('; ')}`]),
    ...gone.map(({ state, virtual, real }) => `${state}, but not in the file now: ${real} in ${virtual}`),
    ...report.drift.map((text) => `Changed by others: ${text}`),
    ...report.unresolved.map((name) => `Without an address: ${name}`),
  ]
  return `${titleOf(report, options)}\n\n${table}${remarks.length === 0 ? '' : `\n${remarks.map((line) => `${printable(line)}\n`).join('')}`}`
}

function titleOf({ instance, pid, config, phase, startedAt, virtuals }: StatusReport, { now }: ShowOptions): string {
  const reals = virtuals.flatMap((virtual) => virtual.reals)
  const up = virtuals.reduce((sum, virtual) => sum + virtual.up, 0)
  const age = formatAge(now - Date.parse(startedAt))
  return printable(
    `${instance} (pid ${pid}, ${config}) ${phase}, for ${age}: virtual services ${virtuals.length}, real servers ${up} of ${reals.length} up`,
    500,
  )
}

function rowsOf(virtual: VirtualStatus, options: ShowOptions): string[][] {
  const { protocol, scheduler, persistentSeconds, inTable, fallback, others } = virtual
  const flags = persistentSeconds === null ? '' : ` persistent ${persistentSeconds}`
  const name = `${protocol === 'fwm' ? 'FWM' : protocol.toUpperCase().padEnd(4)} ${virtual.virtual} ${scheduler}${flags}`
  const numbers = options.numbers === 'connections' ? ['', '', '', ''] : numbersOf(virtual, options)
  const own = [name, ...numbers, inTable ? '' : 'not in the table', '', '']
  return [
    own,
    ...virtual.reals.map((real) => realRow(real, options)),
    ...(fallback === null
      ? []
      : [entryRow(fallback, fallback.kernelWeight === null ? 'fallback' : 'fallback in', options)]),
    ...others.map((entry) => entryRow(entry, 'not in the file', options)),
  ]
}

function realRow(real: RealStatus, options: ShowOptions): string[] {
  const name = `  -> ${real.entry ?? real.real}${real.entry === null ? '' : ` (${real.real})`}`
  const seen = real.last === null ? 'not checked yet' : lastText(real)
  return [
    name,
    ...numbersOf(real, options),
    stateText(real),
    formatAge(options.now - Date.parse(real.since)),
    printable(seen),
  ]
}

function lastText({ last }: RealStatus): string {
  if (last === null) return ''
  return last.reason === null ? last.detail : `${last.reason}: ${last.detail}`
}

/** The operator's word first, the verdict stays beside it. */
function stateText({ state, hold, failures, failureCount, successes, successCount }: RealStatus): string {
  const soft = failures > 0 && state === 'up' ? ` (failure ${failures}/${failureCount})` : ''
  const rising = successes > 0 && state === 'down' ? ` (success ${successes}/${successCount})` : ''
  const health = `${state}${soft}${rising}`
  return hold === null ? health : printable(`maintenance (${hold.reason}), ${health}`)
}

function entryRow(entry: EntryStatus, state: string, options: ShowOptions): string[] {
  return [`  -> ${entry.destination}`, ...numbersOf(entry, options), state, '', '']
}

type Numbered = RealStatus | EntryStatus | VirtualStatus

function numbersOf(entry: Numbered, { numbers }: ShowOptions): string[] {
  if (numbers !== 'connections') return trafficOf(entry.traffic?.[numbers])
  if (!('kernelWeight' in entry)) return ['', '', '', '']
  const { forwarding, activeConnections, inactiveConnections } = entry
  return [methods[forwarding] ?? forwarding, weightText(entry), String(activeConnections), String(inactiveConnections)]
}

/** The kernel's weight, and the configured one where it is another. */
function weightText(entry: RealStatus | EntryStatus): string {
  const { kernelWeight } = entry
  const configured = 'configuredWeight' in entry ? entry.configuredWeight : undefined
  if (kernelWeight === null) return configured === undefined ? '-' : `- (${configured})`
  return configured === undefined || configured === kernelWeight ? `${kernelWeight}` : `${kernelWeight} (${configured})`
}

function trafficOf(traffic: Traffic | undefined): string[] {
  if (traffic === undefined) return ['-', '-', '-', '-', '-']
  const { connections, inPackets, outPackets, inBytes, outBytes } = traffic
  return [connections, inPackets, outPackets, inBytes, outBytes].map((number) => String(Math.round(number)))
}
