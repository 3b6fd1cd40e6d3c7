import { readdirSync, readFileSync } from 'node:fs'

/** Unit of the times in /proc/PID/stat; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** The fields of /proc/PID/stat behind the name, which may hold anything; undefined when the process has ended. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** The process and all that descend from it and live. */
export function familyOf(root: number): readonly number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (stat !== undefined) parents.set(Number(name), Number(stat[1]))
  }
  const found = [root]
  for (const member of found) {
    for (const [pid, parent] of parents) if (parent === member) found.push(pid)
  }
  return found
}

/** CPU seconds, user and system, that a process and its family have used, with the children that have ended. */
export function cpuSeconds(root: number): number {
  let ticks = 0
  for (const pid of familyOf(root)) {
    const stat = statOf(pid)
    // utime, stime, cutime, cstime
    for (const field of stat?.slice(11, 15) ?? []) ticks += Number(field)
  }
  return ticks / ticksPerSecond
}

/**
 * CPU seconds of a process, to the nanosecond where the kernel keeps count of that, and of its children that have ended,
 * in ticks. Exact only while it does not run.
 */
export function exactCpuSeconds(pid: number): number {
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = (statOf(pid)?.slice(11, 15) ?? []).map(Number)
  return (scheduledSeconds(pid) ?? (utime + stime) / ticksPerSecond) + (cutime + cstime) / ticksPerSecond
}

function scheduledSeconds(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const ns = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    )
    return ns.reduce((sum, each) => sum + each, 0) / 1e9
  } catch {
    return undefined
  }
}

/** Stopped by a signal, every thread off the processor. */
export const isStopped = (pid: number): boolean => statOf(pid)?.[0] === 'T'

/** CPU seconds of the children of this process that have ended, in ticks. */
export function endedChildrenSeconds(): number {
  const [cutime = 0, cstime = 0] = (statOf(process.pid)?.slice(13, 15) ?? []).map(Number)
  return (cutime + cstime) / ticksPerSecond
}

/** Memory of a family in KiB: proportional, so that what is shared counts once. */
export function pssKib(root: number): number {
  return sumOver(root, 'smaps_rollup', /^Pss: +(\d+) kB$/m)
}

export function rssKib(root: number): number {
  return sumOver(root, 'status', /^VmRSS:\s+(\d+) kB$/m)
}

function sumOver(root: number, file: string, pattern: RegExp): number {
  let sum = 0
  for (const pid of familyOf(root)) {
    try {
      sum += Number(pattern.exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1] ?? 0)
    } catch {
      // Ended meanwhile.
    }
  }
  return sum
}
