// Runs one program of a test stage: own process group, output kept, one hard deadline.
import { spawn } from 'node:child_process'

/** Programs that are running now, by process group: an interrupted run must not leave a lab or a server behind. */
const running = new Set()

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended by itself in the meantime.
  }
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.once(signal, () => {
    for (const pid of running) killGroup(pid)
    process.exit(code)
  })
}

/**
 * Resolves when the program has ended, never rejects.
 * `echo` passes the output on as it comes; otherwise it is only kept.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ deadlineMs: number, env?: Record<string, string>, echo?: boolean }} options
 * @returns {Promise<{ ok: boolean, output: string, ended: string }>} `ended` words a bad end, empty when `ok`
 */
export function runProgram(command, args, { deadlineMs, env = {}, echo = false }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    const chunks = []
    let late = false
    if (child.pid !== undefined) running.add(child.pid)
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        chunks.push(chunk)
        if (echo) process.stdout.write(chunk)
      })
    }
    const timer = setTimeout(() => {
      late = true
      killGroup(child.pid)
    }, deadlineMs)
    const finish = (ended) => {
      clearTimeout(timer)
      running.delete(child.pid)
      resolve({ ok: ended === '', output: Buffer.concat(chunks).toString('utf8'), ended })
    }
    child.once('error', (error) => finish(error.message))
    // What a test left running in the group would hold our pipes open and eat the time of the next stage.
    child.once('exit', () => killGroup(child.pid))
    child.once('close', (code, signal) => {
      if (late) finish(`did not end within ${Math.round(deadlineMs / 1000)} s`)
      else finish(code === 0 ? '' : `ended with ${signal ?? code}`)
    })
  })
}
