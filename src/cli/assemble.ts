import { createAlerts } from '../alert/alerts.ts'
import { type ControlSocket, createControlSocket } from '../api/control-socket.ts'
import { isoTime } from '../api/iso-time.ts'
import { makeRoutes } from '../api/routes.ts'
import { socketPathOf } from '../api/socket-path.ts'
import type { Identity } from '../api/status-report.ts'
import { type Config, type RealKey, realKeyOf } from '../config/model.ts'
import type { Companions } from '../control/companion.ts'
import { createDaemon, type Daemon } from '../control/daemon.ts'
import { createDirector, type Director } from '../control/director.ts'
import { createMonitor } from '../control/monitor/monitor.ts'
import { createMaintenance } from '../control/operator/maintenance.ts'
import { createOperator, type Operator } from '../control/operator/operator.ts'
import { createStateFile } from '../control/operator/state-file.ts'
import { namesFileOf, runDirectoryOf, stateFileOf } from '../control/process/instance.ts'
import { createKnownAddresses, type KnownAddresses } from '../control/process/known-addresses.ts'
import { createNotifier, type NotifyAddress } from '../control/process/notify.ts'
import { createOwnership, type Ownership, ownershipFileOf } from '../control/process/ownership.ts'
import { createServiceManager, type ServiceManager } from '../control/process/service-manager.ts'
import { createCallback } from '../control/scripts/callback.ts'
import { createExecutor } from '../control/scripts/execute.ts'
import { createFallbackScripts } from '../control/scripts/fallback-scripts.ts'
import { lineageOf, otherInstances } from '../control/scripts/instances.ts'
import { createTimeoutKeeper } from '../control/timeouts.ts'
import { watchConfig } from '../control/watch/watch-config.ts'
import { concurrencyLimit } from '../health/concurrency.ts'
import { createHistory } from '../health/history.ts'
import { version } from '../lib/version.ts'
import type { Phase } from '../model/events.ts'
import type { IpvsTable } from '../table/details.ts'
import type { CliContext } from './context.ts'
import { keepTableSignal } from './signals.ts'

/** What a daemon stands on. */
export interface Foundations {
  readonly backend: IpvsTable
  readonly companions: Companions
  readonly instance: string
  /** Whether orders of the operator, what is ours in the table, and addresses of names outlive the process. */
  readonly keepsState: boolean
  /** Where systemd wants to hear of us; undefined when it does not. */
  readonly notify: NotifyAddress | undefined
}

export interface Assembled {
  readonly daemon: Daemon
  readonly director: Director
  readonly operator: Operator
  readonly control: ControlSocket
  /** Undefined where nothing outlives the process. */
  readonly ownership: Ownership | undefined
  readonly addresses: KnownAddresses | undefined
  /** Undefined: it did not start us, or does not want to hear. */
  readonly systemd: ServiceManager | undefined
}

/** The director, the daemon around it, and who lives beside them; each companion is one line here. */
export function assemble(
  context: CliContext,
  { backend, companions, instance, keepsState, notify }: Foundations,
): Assembled {
  const { clock } = context
  const { tell, onConfig, onFileChanged, onChange, onObservation, onReload } = companions
  const store = keepsState ? createStateFile({ path: stateFileOf(instance), clock, tell }) : undefined
  const operator = createOperator({ clock, tell, store, maintenance: createMaintenance, director: () => director })
  companions.add(operator)
  companions.add(createFallbackScripts({ clock, tell, director: () => director }))
  companions.add(createCallback({ clock, tell }))
  const others = otherInstances({ clock, instance })
  const phase = (): Phase => director.phase
  companions.add(createExecutor({ clock, tell, instance, lineage: lineageOf(), phase, others, keepTableSignal }))
  const record = { path: ownershipFileOf(instance, runDirectoryOf()), tell }
  const ownership = keepsState ? createOwnership({ ...record, owns: (key) => director.owns(key) }) : undefined
  if (ownership !== undefined) companions.add(ownership)
  const addresses = keepsState ? createKnownAddresses({ path: namesFileOf(instance), tell }) : undefined
  if (addresses !== undefined) companions.add(addresses)
  companions.add(createMonitor({ clock, tell, holds: () => director.holds }))
  companions.add(createTimeoutKeeper({ clock, tell, table: backend }))
  const history = createHistory()
  companions.add({
    name: 'history',
    onConfig: (config) => history.retain(realKeysOf(config)),
    onObservation: history.add,
  })
  const director: Director = createDirector({
    backend,
    clock,
    tell,
    onChange,
    onObservation,
    holds: operator.holds,
    before: ownership?.before,
    concurrency: concurrencyLimit(),
  })
  const isHeld = (key: RealKey): boolean => director.holds.has(key)
  companions.add(createAlerts({ clock, tell, isHeld, phase, instance }))
  const daemon = createDaemon({
    clock,
    tell,
    director,
    onConfig,
    onReload,
    onFileChanged,
    load: (last) => context.load(last.config?.file ?? '', last),
    watch: (watched) => watchConfig({ clock, ...watched }),
  })
  const startedAt = isoTime(clock.now())
  const identity = (): Identity => ({ version, instance, pid: process.pid, startedAt })
  const routes = makeRoutes({ clock, daemon, director, operator, history, table: backend, identity })
  const control = createControlSocket({ path: socketPathOf(instance), routes, tell })
  companions.add(control)
  const systemd = notify === undefined ? undefined : systemdFor(notify, { clock, tell, director })
  if (systemd !== undefined) companions.add(systemd)
  return { daemon, director, operator, control, ownership, addresses, systemd }
}

function realKeysOf(config: Config): ReadonlySet<RealKey> {
  return new Set(config.virtuals.flatMap((virtual) => virtual.reals.map((real) => realKeyOf(virtual, real))))
}

type Around = Pick<CliContext, 'clock'> & { readonly tell: Companions['tell']; readonly director: Director }

function systemdFor({ socket, watchdogMs }: NotifyAddress, { clock, tell, director }: Around): ServiceManager {
  const onDead = (reason: string): void => tell({ kind: 'note', text: `systemd can not be told: ${reason}` })
  const notifier = createNotifier({ socket, clock, onDead })
  return createServiceManager({ clock, tell, notifier, watchdogMs, director: () => director })
}
