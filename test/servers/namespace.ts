import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

/** What brings a network of its own: root may make one as it is, anybody else as root of a user namespace, where that is allowed. */
const ownNetwork =
  process.getuid?.() === 0 ? ['--net', '--mount'] : ['--user', '--map-current-user', '--keep-caps', '--net', '--mount']

/** Loopback, and the ports below 1024 for every account. */
const prepare = 'ip link set lo up && echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start && exec "$@"'

const words = (command: readonly string[]): string[] => [...ownNetwork, '--', 'sh', '-c', prepare, 'sh', ...command]

/** Why there can be no network namespace here; undefined when there can. Needs `unshare` and `ip`. */
export function whyNoNamespace(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', words(['true']), { encoding: 'utf8' })
  if (status === 0) return undefined
  return `no network namespace can be made here: ${(error?.message ?? stderr).trim()}`
}

/** Runs a file of ours with an IPC channel in a network where nobody else listens, and mounts are seen by nobody else. */
export function forkInNamespace(file: string, args: readonly string[] = []): ChildProcess {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
  return spawn('unshare', words([process.execPath, file, ...args]), { stdio: [...stdio] })
}
