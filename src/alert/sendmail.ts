import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { type CommandResult, runCommand } from '../lib/run-command.ts'
import { failed, type Outcome, sent } from './delivery.ts'

/** Where a mail program that is called sendmail, whatever it is, stands. */
export const sendmailPaths: readonly string[] = ['/usr/sbin/sendmail', '/usr/lib/sendmail']

/** Exit statuses of sysexits.h that will be the same the next time: usage, data, no such user, no such host. */
const final: readonly number[] = [64, 65, 67, 68]

export interface LocalMail {
  /** Headers and body, with the recipients in To. */
  readonly message: Uint8Array
  /** The sender of the envelope; undefined: the program's own choice. */
  readonly sender: string | undefined
  readonly paths: readonly string[]
}

/** One try through the local program. One that is missing may be on its way back: a package that is being upgraded. */
export async function sendByProgram({ message, sender, paths }: LocalMail, signal: AbortSignal): Promise<Outcome> {
  const file = await firstExecutable(paths)
  if (file === undefined) return failed(`there is no ${paths.join(' and no ')}`, { retry: true })
  // Recipients from the headers, as Perl ldirectord calls it: every sendmail there is understands that.
  const args = ['-i', '-t', ...(sender === undefined ? [] : ['-f', sender])]
  const result = await runCommand({ file, args, input: message }, signal)
  const { end } = result
  switch (end.kind) {
    case 'exited':
      if (end.status === 0) return sent
      return failed(`${file} ended with status ${end.status}${said(result)}`, { retry: !final.includes(end.status) })
    case 'signalled':
      return failed(`${file} was killed by ${end.signal}`, { retry: true })
    case 'stopped':
      return failed(`${file} took too long`, { retry: true })
    case 'not-started':
      return failed(`${file} could not be started: ${end.message}`, { retry: true })
  }
}

/** The first line that a program printed, be it an answer or a complaint. */
export function said({ stdout, stderr }: Pick<CommandResult, 'stdout' | 'stderr'>): string {
  const line = `${stderr}\n${stdout}`
    .split('\n')
    .map((each) => each.trim())
    .find((each) => each !== '')
  return line === undefined ? '' : `: ${line.slice(0, 200)}`
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // the next one
    }
  }
  return undefined
}
