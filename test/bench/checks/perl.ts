import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { exactCpuSeconds, isStopped } from '../processes.ts'
import type { Effort } from '../results.ts'

export interface PerlOptions {
  readonly file: string
  /** Where the last virtual service of the file writes its verdicts: each line is the end of a round. */
  readonly monitor: string
  readonly checksPerRound: number
  /** Trusted by Perl's libraries. */
  readonly certificate: string | undefined
}

export interface Perl {
  /** Lets it do the next round, and stops it again. */
  round(): Promise<Effort>
  stop(): Promise<void>
}

const patienceMs = 60_000

/** The first rounds bring every real server in, after that the table is left alone. */
const firstRounds = 2

/** One that is stopped does not notice that nobody is left. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Debian's daemon in the foreground, stopped after its first rounds. */
export async function startPerl({ file, monitor, checksPerRound, certificate }: PerlOptions): Promise<Perl> {
  const trusted = certificate === undefined ? {} : { SSL_CERT_FILE: certificate }
  // Without PERLIO its http check fails where the variable of the session names another layer.
  const env = { ...process.env, PERLIO: 'perlio', ...trusted }
  const child = spawn('/usr/sbin/ldirectord', [file, 'start'], { env, stdio: 'ignore' })
  running.add(child)
  const ended = once(child, 'exit').finally(() => running.delete(child))
  const pid = child.pid ?? -1
  const goOn = async (): Promise<void> => {
    const before = linesOf(monitor).length
    child.kill('SIGCONT')
    await until(child, () => linesOf(monitor).length > before)
    child.kill('SIGSTOP')
    await until(child, () => isStopped(pid))
    const last = linesOf(monitor).at(-1) ?? ''
    if (!last.includes(' [up] ')) throw new Error(`Perl ldirectord's check failed: ${last}`)
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await Promise.race([ended, delay(3000, undefined, { ref: false })])
    child.kill('SIGKILL')
    if (child.pid !== undefined) await ended
  }
  try {
    for (let n = 0; n < firstRounds; n++) await goOn()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    round: async () => {
      const before = exactCpuSeconds(pid)
      await goOn()
      return { probes: checksPerRound, cpuSeconds: exactCpuSeconds(pid) - before }
    },
    stop,
  }
}

function linesOf(monitor: string): string[] {
  try {
    return readFileSync(monitor, 'latin1').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

async function until(child: ChildProcess, isSo: () => boolean): Promise<void> {
  const limit = performance.now() + patienceMs
  while (!isSo()) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('Perl ldirectord has ended')
    if (performance.now() > limit) throw new Error(`Perl ldirectord did no round in ${patienceMs} ms`)
    await delay(2)
  }
}
