import type { ProbeReport, WhyReport } from '../api/why-report.ts'
import { printable } from '../lib/printable.ts'
import { formatAge, localTime } from './duration.ts'

/** For people: one real server in one virtual service, from the decision down to the last checks and their steps. */
export function formatWhy(report: WhyReport, now: number): string {
  const { status, probes } = report
  const lines = [
    `${status.real} in ${report.virtual}: ${status.state} for ${formatAge(now - Date.parse(status.since))}`,
    `  table      ${report.decision}`,
    `  weight     configured ${status.configuredWeight}, in the kernel ${status.kernelWeight ?? 'no entry'}, ` +
      `connections ${status.activeConnections} active, ${status.inactiveConnections} inactive`,
    ...formatIntents(report),
    `  check      ${report.checktype} ${report.service}, every ${report.checkIntervalSeconds} s, ` +
      `next ${report.nextCheckInMs === null ? 'never' : `in ${(report.nextCheckInMs / 1000).toFixed(1)} s`}`,
    `  thresholds down after failures in a row: ${status.failureCount} (now ${status.failures}), ` +
      `up after successes in a row: ${status.successCount} (now ${status.successes})`,
    ...(probes.length === 0 ? ['  no check has ended yet'] : ['  last checks, newest first:']),
    ...probes.flatMap(formatProbe),
  ]
  return lines.map((line) => `${printable(line, 1000)}\n`).join('')
}

function formatIntents({ intents }: WhyReport): string[] {
  if (intents.length === 0) return ['  operator   holds nothing back']
  return intents.map(({ state, reason, by, since, until, activeConnections }) => {
    const why = reason === '' ? '' : `: ${reason}`
    const end = until === null ? '' : `, until ${localTime(until)}`
    const left = activeConnections === null ? '' : `, ${activeConnections} active connections left`
    return `  operator   ${state} since ${localTime(since)} by ${by}${why}${end}${left}`
  })
}

function formatProbe({ at, durationMs, verdict, reason, detail, steps }: ProbeReport): string[] {
  const word = reason === null ? verdict : `${verdict} ${reason}`
  return [
    `    ${localTime(at)}  ${word}  ${durationMs} ms  ${detail}`,
    ...steps.map(({ atMs, note }) => `      ${atMs.toFixed(1).padStart(8)} ms  ${note}`),
  ]
}
