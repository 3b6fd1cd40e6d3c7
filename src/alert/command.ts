import { runCommand } from '../lib/run-command.ts'
import { failed, type Outcome, sent } from './delivery.ts'
import { said } from './sendmail.ts'

export interface AlertCommand {
  readonly command: readonly string[]
  /** JSON. */
  readonly input: string
  readonly environment: Readonly<Record<string, string>>
}

/** Only what could not be started is tried again: of the others nobody knows what they have done. */
export async function runAlertCommand(alert: AlertCommand, signal: AbortSignal): Promise<Outcome> {
  const { command, input } = alert
  const [file = '', ...args] = command
  // Where no PATH is set, the programs of the system are still found.
  const environment = { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...alert.environment }
  const result = await runCommand({ file, args, input: `${input}\n`, environment }, signal)
  const { end } = result
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? sent : failed(`exit status ${end.status}${said(result)}`, { retry: false })
    case 'signalled':
      return failed(`killed by ${end.signal}${said(result)}`, { retry: false })
    case 'stopped':
      return failed(`took too long, now killed${said(result)}`, { retry: false })
    case 'not-started':
      return failed(end.message, { retry: isShortage(end.code) })
  }
}

function isShortage(code: string | undefined): boolean {
  return code !== undefined && ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ETXTBSY'].includes(code)
}
