import { spawn } from 'node:child_process'
import type { Clock } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'

export interface AskOptions {
  readonly clock: Clock
  readonly program?: string
}

const withinMs = 3_000
const maxListing = 1024 * 1024

/**
 * Whether systemd stops this unit only to start it again: a `restart` job stands in its list until the unit has ended,
 * whatever the unit was doing before (`ExecStop=` is passed over while a reload is under way). Otherwise why it could
 * not be asked. Never rejects.
 */
export function askForRestart(unit: string, { clock, program = 'systemctl' }: AskOptions): Promise<boolean | string> {
  return new Promise((resolve) => {
    const words = ['list-jobs', '--plain', '--no-legend', '--no-pager', '--full']
    const child = spawn(program, words, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
    let listing = ''
    let complaint = ''
    const limit = clock.setTimer('ask for a restart', withinMs, () => child.kill('SIGKILL'))
    const end = (answer: boolean | string): void => {
      limit.cancel()
      resolve(answer)
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (listing.length < maxListing) listing += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = printable(complaint + text, 300)
    })
    child.once('error', (error) => end(messageOf(error)))
    child.once('close', (code, signal) => {
      const reason = complaint === '' ? `${program} ended with ${code ?? signal}` : complaint
      end(code === 0 ? hasRestartJob(listing, unit) : reason)
    })
  })
}

/** Lines of `systemctl list-jobs`: number, unit, type, state. */
export function hasRestartJob(listing: string, unit: string): boolean {
  return listing.split('\n').some((line) => {
    const [, of, type] = line.trim().split(/\s+/)
    return of === unit && type === 'restart'
  })
}
