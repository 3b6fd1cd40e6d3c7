import type { Probe } from '../../src/check/probe.ts'
import type { Checking, Config, Globals, Real, Virtual } from '../../src/config/model.ts'
import { hostPort } from '../../src/model/service.ts'
import { defaultGlobals } from './defaults.ts'
import { bareRequest } from './dump-options.ts'

/** The whole config as lines that a person can compare: what is at its default is left out of the globals only. */
export function dumpConfig(config: Config): readonly string[] {
  const globals = Object.entries(config.globals)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaultGlobals[name as keyof Globals]))
    .map(([name, value]) => `global ${name} ${JSON.stringify(value)}`)
  const unresolved = config.unresolved.map((name) => `unresolved ${name}`)
  return [...globals, ...config.virtuals.flatMap(dumpVirtual), ...unresolved]
}

function dumpVirtual(virtual: Virtual): string[] {
  const { settings, alert, fallback } = virtual
  const words = [`virtual ${virtual.key} ${settings.scheduler}`]
  if (settings.schedulerFlags !== 0) words.push(`flags ${settings.schedulerFlags}`)
  if (settings.persistence !== undefined) {
    words.push(`persistent ${settings.persistence.timeoutSeconds} mask ${settings.persistence.netmask}`)
  }
  if (settings.onePacket) words.push('ops')
  const lines = [
    words.join(' '),
    `  check ${virtual.checkType} ${virtual.service}, every ${virtual.checkIntervalMs} ms, down after ${virtual.failureCount}`,
  ]
  if (virtual.quiescent) lines.push('  quiescent')
  if (!virtual.cleanstop) lines.push('  no cleanstop')
  if (virtual.fallbackCommand !== undefined) lines.push(`  fallbackcommand ${JSON.stringify(virtual.fallbackCommand)}`)
  const { successCount, checkJitterMs, initState, fallbackOnStop } = virtual
  if (successCount !== 1) lines.push(`  successcount ${successCount}`)
  if (checkJitterMs !== 0) lines.push(`  checkjitter ${checkJitterMs} ms`)
  if (initState !== 'keep') lines.push(`  initstate ${initState}`)
  if (fallbackOnStop) lines.push('  fallbackonstop')
  if (virtual.monitorFile !== undefined) lines.push(`  monitorfile ${virtual.monitorFile}`)
  const alerts = JSON.stringify(alert)
  const usual = JSON.stringify({ everySeconds: 0, status: ['starting', 'running', 'stopping', 'reloading'] })
  if (alerts !== usual) lines.push(`  alert ${alerts}`)
  lines.push(...virtual.reals.map(dumpReal))
  if (fallback !== undefined) {
    const d = fallback.destination
    lines.push(
      `  fallback ${d === undefined ? `${fallback.host} (unresolved)` : `${hostPort(d.address, d.port)} ${d.forwarding}`}`,
    )
  }
  return lines
}

function dumpReal(real: Real): string {
  const words = [`  real ${hostPort(real.address ?? real.host, real.port)} ${real.forwarding} ${real.weight}`]
  if (real.lower !== 0) words.push(`l:${real.lower}`)
  if (real.upper !== 0) words.push(`u:${real.upper}`)
  if (real.effectivePort !== real.port) words.push(`(table port ${real.effectivePort})`)
  return `${words.join(' ')}: ${dumpChecking(real.checking)}`
}

function dumpChecking(checking: Checking): string {
  if (checking.kind === 'probe') return dumpProbe(checking.probe)
  if (checking.kind === 'unresolved') return checking.detail
  if (checking.kind !== 'combined') return checking.kind
  return `${checking.connects} x [${dumpProbe(checking.connect)}] then [${dumpProbe(checking.negotiate)}]`
}

function dumpProbe({ check, target, options, timeoutMs }: Probe): string {
  const udp = target.transport === 'udp' ? '/udp' : ''
  const seen = target.virtual === undefined ? '' : ` for ${Object.values(target.virtual).join(' ')}`
  return `${check.name} ${hostPort(target.address, target.port)}${udp}${seen} ${timeoutMs} ms${bareRequest(options)}`
}
