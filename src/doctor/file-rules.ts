import { SECRET_DIRECTIVES } from '../config/check-text.ts'
import { lex } from '../config/lexer.ts'
import { collectDiagnostics } from '../lib/diagnostics.ts'
import type { Directive } from '../lib/fields.ts'
import { finding, look, mendHere, quoteShell, type Remark } from './finding.ts'
import type { Rule } from './subject.ts'

const OTHERS_READ = 0o004
const GROUP_WRITES = 0o020
const OTHERS_WRITE = 0o002
/** A file that is so much younger than now was written after the clock stood right. */
const DAY_MS = 86_400_000

const secretDirectives = new Set([...SECRET_DIRECTIVES, 'smtppasswd'])

/** Passwords in a file that everybody on this machine may read. */
export const readableSecrets: Rule = ({ config, text, facts }) => {
  const [first, ...more] = secretsIn(text, config.file)
  if (first === undefined) return []
  return look(facts.configFile, ({ mode }) => {
    if ((mode & OTHERS_READ) === 0) return []
    const others = more.length === 0 ? '' : ` and ${more.length} more`
    const message = `${config.file} holds ${first.name}${others}, and everybody may read it`
    const why = 'every account of this machine, and every hole in a program that runs there, gets at the passwords.'
    const mend = mendHere(`chmod o= ${quoteShell(config.file)}`)
    return [finding('warning', 'readable-secrets', { at: first.nameAt, message, why, mend })]
  })
}

function secretsIn(text: string, file: string): readonly Directive[] {
  const { globals, sections } = lex(text, file, collectDiagnostics())
  return [...globals, ...sections.flatMap(({ directives }) => directives)].filter(
    ({ name, value }) => secretDirectives.has(name) && value !== '' && value !== '""',
  )
}

/** Whoever may write the file has commands run by the daemon, as root. */
export const writableConfig: Rule = ({ config, facts }) =>
  look(facts.configFile, ({ mode, gid }): readonly Remark[] => {
    const byOthers = (mode & OTHERS_WRITE) !== 0
    const byGroup = (mode & GROUP_WRITES) !== 0 && gid !== 0
    if (!byOthers && !byGroup) return []
    const who = byOthers ? 'everybody' : `the group ${gid}`
    const message = `${who} may write ${config.file}`
    const why = 'it names commands (checkcommand, fallbackcommand, callback) that the daemon runs as root.'
    const at = { file: config.file, line: 1, column: 1, length: 1 }
    const mend = mendHere(`chmod ${byOthers ? 'o-w' : 'g-w'} ${quoteShell(config.file)}`)
    return [finding(byOthers ? 'error' : 'warning', 'writable-config', { at, message, why, mend })]
  })

/** Certificates, the times in the log, and the ends of `disable --for` go by the clock. */
export const clock: Rule = ({ config, facts }) => {
  const { nowMs, keepers } = facts.clock
  const at = { file: config.file, line: 1, column: 1, length: 1 }
  const { configFile } = facts
  if (configFile.known && configFile.value.mtimeMs > nowMs + DAY_MS) {
    const message = 'the clock is wrong: the configuration was written in the future'
    const why = `it says ${new Date(nowMs).toISOString()}, and the file is of ${new Date(configFile.value.mtimeMs).toISOString()}: certificates seem not valid yet, and the log has wrong times.`
    return [finding('error', 'clock', { at, message, why })]
  }
  if (keepers.length > 0) return []
  const message = 'nothing seems to keep the clock right (no chrony, ntpd or systemd-timesyncd was seen at work)'
  const why =
    'certificates are verified against it, and logs of several machines are compared. Of no concern when the machine gets its time otherwise.'
  return [finding('info', 'clock', { at, message, why })]
}
