import { formatService, type ServiceKey } from '../model/service.ts'
import type { Destination, DestinationKey, VirtualService } from '../model/table.ts'
import { destinationDifferences, settingsDifferences } from './compare.ts'
import type { Role } from './desired.ts'
import type { ObservedDestination, ObservedService, Operation } from './operation.ts'
import type { Cause, DiffInput, Drift, Step } from './plan.ts'

/** What became of one virtual service. `standing`: it keeps an entry with weight that no step touches. */
export interface Verdicts {
  readonly steps: readonly Step[]
  readonly drift: readonly Drift[]
  readonly standing: boolean
}

/** Each cell of the matrix: what is wanted, what is there, what we last wrote (behaviour reference 4.3-4.5, 4.11). */
export function judgeService(input: DiffInput, key: ServiceKey, wanted: VirtualService): Verdicts {
  const sheet = sheetOf(input, key, wanted)
  if (sheet.actual === undefined) restoreService(sheet)
  else judgeFound(sheet, sheet.actual)
  return { steps: sheet.steps, drift: sheet.drift, standing: keepsOne(sheet) }
}

function judgeFound(sheet: Sheet, actual: ObservedService): void {
  compareService(sheet, actual)
  for (const [at, destination] of sheet.wanted.destinations) {
    const found = actual.destinations.get(at)
    if (found === undefined) judgeMissing(sheet, at, destination)
    else judgePresent(sheet, at, { found, wanted: destination })
  }
  for (const [at, found] of actual.destinations) {
    if (!sheet.wanted.destinations.has(at)) judgeExtra(sheet, at, found)
  }
}

/** One virtual service while it is compared. */
interface Sheet {
  readonly key: ServiceKey
  readonly name: string
  readonly wanted: VirtualService
  readonly actual: ObservedService | undefined
  readonly before: VirtualService | undefined
  readonly full: boolean
  readonly repair: boolean
  readonly readdQuiescent: boolean
  readonly role: (at: DestinationKey) => Role | undefined
  readonly absent: (at: DestinationKey) => Role | undefined
  readonly steps: Step[]
  readonly drift: Drift[]
  readonly touched: Set<DestinationKey>
}

function sheetOf(input: DiffInput, key: ServiceKey, wanted: VirtualService): Sheet {
  const { actual, desired, applied, mode, policy } = input
  return {
    key,
    name: formatService(wanted.id),
    wanted,
    actual: actual.services.get(key),
    before: applied.get(key),
    full: (typeof mode === 'function' ? mode(key) : mode) === 'full',
    repair: policy.drift === 'repair',
    readdQuiescent: policy.readdQuiescent,
    role: (at) => desired.roles.get(key)?.get(at),
    absent: (at) => desired.absent.get(key)?.get(at),
    steps: [],
    drift: [],
    touched: new Set(),
  }
}

type Verb = 'add-destination' | 'edit-destination'
type Why = Pick<Step, 'cause' | 'reason'> & { readonly unexpected?: boolean }

function put(sheet: Sheet, verb: Verb, destination: Destination, why: Why & { readonly at: DestinationKey }): void {
  const role = sheet.role(why.at)
  sheet.touched.add(why.at)
  sheet.steps.push({
    operation: { kind: verb, id: sheet.wanted.id, destination },
    virtual: sheet.key,
    ...(role === undefined ? {} : { role }),
    cause: why.cause,
    reason: why.reason,
    unexpected: why.unexpected ?? false,
  })
}

/** A virtual service that is not there is always put in, whole (defect D17). */
function restoreService(sheet: Sheet): void {
  const lost = sheet.before !== undefined
  const cause: Cause = sheet.full ? 'start' : lost ? 'restore' : 'config'
  const { id, destinations, ...settings } = sheet.wanted
  const reason = lost ? 'the virtual service was removed by others' : 'the virtual service is not in the table'
  const operation: Operation = { kind: 'add-service', id, settings }
  sheet.steps.push({ operation, virtual: sheet.key, cause, reason, unexpected: lost })
  for (const [at, destination] of destinations) {
    const unexpected = sheet.before?.destinations.has(at) ?? false
    put(sheet, 'add-destination', destination, { at, cause, reason: reasonOf(sheet, at), unexpected })
  }
}

function compareService(sheet: Sheet, actual: ObservedService): void {
  const { wanted, before, key } = sheet
  const { id, destinations: _, ...settings } = wanted
  const differences = settingsDifferences(actual, wanted, id.family)
  if (differences.length === 0) return
  const changed = before === undefined || settingsDifferences(before, wanted, id.family).length > 0
  if (!sheet.full && !changed && !sheet.repair) {
    const text = `${sheet.name} has ${differences.join(', ')}`
    sheet.drift.push({ virtual: key, destination: undefined, kind: 'service-changed', text })
    return
  }
  const cause: Cause = sheet.full ? 'start' : changed ? 'config' : 'repair'
  const operation: Operation = { kind: 'edit-service', id, settings }
  sheet.steps.push({ operation, virtual: key, cause, reason: `has ${differences.join(', ')}`, unexpected: false })
}

function judgeMissing(sheet: Sheet, at: DestinationKey, wanted: Destination): void {
  const before = sheet.before?.destinations.get(at)
  const changed = before === undefined || destinationDifferences(before, wanted).length > 0
  const role = sheet.role(at)
  const quiesced = role?.kind === 'real' && role.state === 'quiesced'
  const unexpected = before !== undefined
  const why = { at, reason: reasonOf(sheet, at), unexpected }
  if (sheet.full) put(sheet, 'add-destination', wanted, { ...why, cause: 'start' })
  else if (changed) {
    // Others deleted it while it was in; now it is down, and whether it comes back is readdquiescent's to say (4.5).
    const readd = quiesced && unexpected
    if (readd && !sheet.readdQuiescent) return
    put(sheet, 'add-destination', wanted, { ...why, cause: readd ? 'repair' : 'state' })
  } else if (sheet.repair) {
    const reason = `was deleted by others; ${why.reason}`
    put(sheet, 'add-destination', wanted, { ...why, reason, cause: 'repair' })
  } else {
    const text = `${sheet.name} lacks ${at}`
    sheet.drift.push({ virtual: sheet.key, destination: at, kind: 'destination-missing', text })
  }
}

interface Pair {
  readonly found: ObservedDestination
  readonly wanted: Destination
}

function judgePresent(sheet: Sheet, at: DestinationKey, { found, wanted }: Pair): void {
  const differences = destinationDifferences(found, wanted)
  if (differences.length === 0) return
  const before = sheet.before?.destinations.get(at)
  const changes = before === undefined ? undefined : destinationDifferences(before, wanted)
  if (!sheet.full && changes?.length === 0 && !sheet.repair) {
    const text = `${sheet.name} has ${at} with ${differences.join(', ')}`
    sheet.drift.push({ virtual: sheet.key, destination: at, kind: 'destination-changed', text })
    return
  }
  const cause: Cause = sheet.full ? 'start' : changes?.length === 0 ? 'repair' : causeOfChange(before, wanted)
  const reason = `has ${differences.join(', ')}; ${reasonOf(sheet, at)}`
  put(sheet, 'edit-destination', wanted, { at, cause, reason })
}

/** A verdict moves the weight to or from 0; anything else is a new configuration. */
function causeOfChange(before: Destination | undefined, wanted: Destination): Cause {
  if (before === undefined || (before.weight === 0) !== (wanted.weight === 0)) return 'state'
  return 'config'
}

function judgeExtra(sheet: Sheet, at: DestinationKey, found: ObservedDestination): void {
  const ours = sheet.before?.destinations.has(at) ?? false
  const role = sheet.absent(at)
  if (!ours && !sheet.full && !sheet.repair) {
    const text = `${sheet.name} has ${at} with weight ${found.weight}, which is not ours`
    sheet.drift.push({ virtual: sheet.key, destination: at, kind: 'destination-foreign', text })
    return
  }
  const configured: Cause = ours || sheet.full ? 'state' : 'repair'
  const cause: Cause = role !== undefined ? configured : ours ? 'gone' : 'foreign'
  const reason = role?.reason ?? (ours ? 'no longer in the configuration' : 'not in the configuration')
  const { address, port } = found
  sheet.touched.add(at)
  sheet.steps.push({
    operation: { kind: 'delete-destination', id: sheet.wanted.id, destination: { address, port } },
    virtual: sheet.key,
    ...(role === undefined ? {} : { role }),
    cause,
    reason,
    unexpected: false,
  })
}

function reasonOf(sheet: Sheet, at: DestinationKey): string {
  return sheet.role(at)?.reason ?? 'configured'
}

function keepsOne(sheet: Sheet): boolean {
  const found = sheet.actual?.destinations ?? new Map<DestinationKey, ObservedDestination>()
  return [...found].some(([at, destination]) => destination.weight > 0 && !sheet.touched.has(at))
}
