import { constants, fstatSync, openSync } from 'node:fs'

/**
 * The same terminal, pipe or file as `fd` through a door of our own that never waits (EAGAIN instead): the flag belongs
 * to the open file, which the shell and others share with us, so it may not be set on theirs. Undefined where
 * the kernel gives no second door: a socket, or somebody else's terminal.
 */
export function openNonBlocking(fd: number): number | undefined {
  const { O_APPEND, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
  } catch {
    return undefined
  }
}

export function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false
  }
}

/** True when the descriptor is the journal's own socket, as systemd tells it (systemd.exec, JOURNAL_STREAM). */
export function isJournal(fd: number, env: NodeJS.ProcessEnv): boolean {
  const told = env['JOURNAL_STREAM']
  if (told === undefined) return false
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return told === `${dev}:${ino}`
  } catch {
    return false
  }
}
