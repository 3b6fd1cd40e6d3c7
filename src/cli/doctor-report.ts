import type { Examination } from '../doctor/examine.ts'
import type { Finding, Severity } from '../doctor/finding.ts'
import { printable } from '../lib/printable.ts'

export interface DoctorReport extends Examination {
  /** Absolute path of the configuration. */
  readonly file: string
  /** How many warnings `validate` has for it. */
  readonly remarks: number
}

/** A path and a sentence; what is longer is no sentence. */
const LONGEST = 2000
const WIDTH = 100
const line = (text: string): string => printable(text, LONGEST)

/** For people: by severity, four lines or so each, what was not seen, and a line that sums up. */
export function formatReport(report: DoctorReport): string {
  const { findings, unseen } = report
  const blocks = findings.map((each) => formatFinding(each))
  if (unseen.length > 0) {
    const lines = unseen.map(({ what, reason }) => `  ${line(what)}: ${line(reason)}`)
    blocks.push(['Could not look at:', ...lines].join('\n'))
  }
  return `${[...blocks, summary(report)].join('\n\n')}\n`
}

function formatFinding({ severity, code, at, message, why, mend }: Finding): string {
  const lines = [
    `${line(at.file)}:${at.line}: ${severity}[${code}]: ${line(message)}`,
    ...wrapped(`  why: ${line(why)}`),
  ]
  if (mend !== undefined) {
    const where = mend.on === 'this machine' ? 'mend' : `on ${mend.on}`
    const [first = '', ...more] = mend.commands.map(line)
    lines.push(`  ${where}: ${first}`, ...more.map((command) => `  ${' '.repeat(where.length + 1)} ${command}`))
  }
  return lines.join('\n')
}

/** At blanks, for a terminal; a command is never broken. */
function wrapped(text: string): string[] {
  const lines: string[] = []
  for (const word of text.trim().split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`${lines.length === 0 ? '  ' : '       '}${word}`)
  }
  return lines
}

function summary({ file, findings, unseen, remarks }: DoctorReport): string {
  const counted = (['error', 'warning', 'info'] as const)
    .map((severity) => counts(findings, severity))
    .filter((text) => text !== undefined)
  const parts = [counted.length === 0 ? 'nothing found' : counted.join(', ')]
  if (unseen.length > 0) parts.push(`${unseen.length} not looked at`)
  if (remarks > 0) parts.push(`validate has ${plural(remarks, 'warning')}`)
  const lines = [`${line(file)}: ${parts.join('; ')}`]
  if (findings.some(({ mend }) => mend?.commands.some((command) => command.startsWith('sysctl ')))) {
    lines.push('What sysctl and ip set is gone after the next boot: keep it in /etc/sysctl.d and the network settings.')
  }
  return lines.join('\n')
}

function counts(findings: readonly Finding[], severity: Severity): string | undefined {
  const { length } = findings.filter((each) => each.severity === severity)
  if (length === 0) return undefined
  return severity === 'info' ? plural(length, 'remark') : plural(length, severity)
}

function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** The stable form of `--json`. */
export function reportJson({ file, findings, unseen }: DoctorReport): string {
  const count = (severity: Severity): number => findings.filter((each) => each.severity === severity).length
  const report = {
    file,
    errors: count('error'),
    warnings: count('warning'),
    infos: count('info'),
    findings: findings.map(({ severity, code, at, message, why, mend }) => ({
      severity,
      code,
      message,
      file: at.file,
      line: at.line,
      why,
      mend: mend === undefined ? null : { on: mend.on, commands: mend.commands },
    })),
    unseen: unseen.map(({ what, reason }) => ({ what, reason })),
  }
  return `${JSON.stringify(report, null, 2)}\n`
}
