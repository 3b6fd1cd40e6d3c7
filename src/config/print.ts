import { printable } from '../lib/printable.ts'
import { hideUrlPasswords } from '../lib/url-password.ts'
import { bracketed, formatService, hostPort } from '../model/service.ts'
import { formatSchedulerFlags } from './directives/scheduler.ts'
import type { Config, Fallback, Globals, MailServer, Real, Virtual } from './model.ts'

/**
 * The effective configuration, in the file's own syntax: every inherited value written out, names and ranges as far as
 * they are resolved, no secret. It loads again and then means the same, secrets aside.
 */
export function printConfig(config: Config): string {
  const { globals, virtuals } = config
  const sections = virtuals.map((virtual) => printVirtual(virtual, globals.fork))
  return `${[[...printGlobals(globals), ...printInterval(config)], ...sections].map((lines) => lines.map(clean).join('\n')).join('\n\n')}\n`
}

/** A control character can stand in a value; on a terminal it must not. */
function clean(line: string): string {
  const shown = hideUrlPasswords(line)
  return printable(shown, shown.length)
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}

function printGlobals(globals: Globals): string[] {
  const lines = [
    `autoreload = ${yesNo(globals.autoreload)}`,
    `logfile = "${globals.logfile}"`,
    `supervised = ${yesNo(globals.supervised)}`,
    `fork = ${yesNo(globals.fork)}`,
    `readdquiescent = ${yesNo(globals.readdQuiescent)}`,
    `drift = ${globals.drift}`,
  ]
  if (globals.logFormat !== 'text') lines.push(`logformat = ${globals.logFormat}`)
  if (!globals.reloadGuard) lines.push('reloadguard = no')
  if (globals.timeouts !== undefined) {
    const { tcp, tcpFin, udp } = globals.timeouts
    lines.push(`timeouts = ${tcp} ${tcpFin} ${udp}`)
  }
  if (globals.callback !== undefined) lines.push(`callback = "${globals.callback}"`)
  for (const name of globals.execute) lines.push(`execute = ${name}`)
  if (globals.emailAlertFrom !== undefined) lines.push(`emailalertfrom = ${globals.emailAlertFrom}`)
  if (globals.maintenanceDir !== undefined) lines.push(`maintenancedir = ${globals.maintenanceDir}`)
  return lines
}

/** Without fork = yes only the interval of the top level counts, and every virtual service has it. */
function printInterval({ globals, virtuals: [first] }: Config): string[] {
  return globals.fork || first === undefined ? [] : [`checkinterval = ${first.checkIntervalMs / 1000}`]
}

function printVirtual(virtual: Virtual, fork: boolean): string[] {
  const { id } = virtual
  const directive = id.family === 6 ? 'virtual6' : 'virtual'
  const body = [
    ...virtual.reals.map((real) => printReal(real)),
    ...printFallback(virtual.fallback, id.family === 6 ? 'fallback6' : 'fallback'),
    `protocol = ${id.kind === 'fwmark' ? 'fwm' : id.protocol}`,
    ...printSettings(virtual),
    ...(virtual.checkText ?? []),
    ...(fork ? [`checkinterval = ${virtual.checkIntervalMs / 1000}`] : []),
    `failurecount = ${virtual.failureCount}`,
    ...printNew(virtual),
    `quiescent = ${yesNo(virtual.quiescent)}`,
    `cleanstop = ${yesNo(virtual.cleanstop)}`,
    ...printExtras(virtual),
  ]
  return [`${directive} = ${formatService(id)}`, ...body.map((line) => `    ${line}`)]
}

function printReal(real: Real): string {
  const { family, host, port, forwarding, weight, pair, lower, upper } = real
  const words = [`real${family === 6 ? '6' : ''} =`, hostPort(host, port), forwarding, String(weight)]
  if (pair !== undefined) words.push(`"${pair.request}", "${pair.receive}"`)
  if (lower > 0) words.push(`l:${lower}`)
  if (upper > 0) words.push(`u:${upper}`)
  return words.join(' ')
}

function printFallback(fallback: Fallback | undefined, directive: string): string[] {
  if (fallback === undefined) return []
  const { destination, host } = fallback
  if (destination === undefined) return [`${directive} = ${bracketed(host)}`]
  return [`${directive} = ${hostPort(destination.address, destination.port)} ${destination.forwarding}`]
}

function printSettings({ settings }: Virtual): string[] {
  const { scheduler, schedulerFlags, persistence, onePacket } = settings
  const lines = [`scheduler = ${scheduler}`]
  if (schedulerFlags !== 0) lines.push(`schedflags = ${formatSchedulerFlags(schedulerFlags)}`)
  if (persistence !== undefined) {
    lines.push(`persistent = ${persistence.timeoutSeconds}`, `netmask = ${persistence.netmask}`)
  }
  if (onePacket) lines.push('ops = yes')
  return lines
}

/** Directives that Perl ldirectord does not have: shown where they are set otherwise than by default. */
function printNew(virtual: Virtual): string[] {
  const lines: string[] = []
  if (virtual.successCount !== 1) lines.push(`successcount = ${virtual.successCount}`)
  if (virtual.checkJitterMs !== 0) lines.push(`checkjitter = ${virtual.checkJitterMs / 1000}`)
  if (virtual.initState !== 'keep') lines.push(`initstate = ${virtual.initState}`)
  if (virtual.fallbackOnStop) lines.push('fallbackonstop = yes')
  return lines
}

function printExtras(virtual: Virtual): string[] {
  const { alert, fallbackCommand, monitorFile } = virtual
  const lines: string[] = []
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) lines.push(`${name} = ${value}`)
  }
  add('fallbackcommand', quotedIfNeeded(fallbackCommand))
  add('monitorfile', quotedIfNeeded(monitorFile))
  add('emailalert', alert.to)
  if (alert.everySeconds !== 0) lines.push(`emailalertfreq = ${alert.everySeconds}`)
  if (alert.status.length < 4) lines.push(`emailalertstatus = ${alert.status.join(', ') || 'none'}`)
  for (const line of printMailServer(alert.smtp)) lines.push(line)
  if (alert.command !== undefined) lines.push(`alertcommand = "${alert.command.join(' ')}"`)
  if (alert.webhook !== undefined) lines.push(printWebhook(alert.webhook))
  add('servicename', alert.serviceName)
  add('comment', alert.comment)
  return lines
}

/** Whoever has the whole URL of a webhook may post to it: what follows the host is a secret as a password is. */
function printWebhook(url: string): string {
  const { origin, href } = new URL(url)
  return href === `${origin}/` ? `alertwebhook = "${url}"` : `# alertwebhook = "${origin}/" (the rest is hidden)`
}

function printMailServer(server: MailServer | undefined): string[] {
  if (server === undefined) return []
  const { host, port, starttls, login, password } = server
  const lines = [`smtp = ${host}`]
  if (port !== 25) lines.push(`smtpport = ${port}`)
  if (starttls !== 'try') lines.push(`smtpstarttls = ${starttls}`)
  if (login !== undefined) lines.push(`smtplogin = "${login}"`)
  if (password !== undefined) lines.push(`smtppasswd = "${password}"`)
  return lines
}

/** Unquoted, a `#` would begin a comment, and quotes of its own would be taken off. */
function quotedIfNeeded(value: string | undefined): string | undefined {
  return value !== undefined && /#|^"/.test(value) ? `"${value}"` : value
}
