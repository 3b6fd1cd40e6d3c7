import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { eventually } from './eventually.ts'
import type { Host, Ran } from './host.ts'

/** A systemd of its own, as the first process of a process namespace, in a host's network. */
export interface Systemd {
  systemctl(...words: readonly string[]): Promise<Ran>
  /** As `systemctl show --value -p`. */
  property(unit: string, name: string): Promise<string>
  /** What it has said itself. */
  log(): string
  close(): Promise<void>
}

const units = '/run/units'
/** Where the units find the program: not below /tmp, /home or /root, which they do not see. */
const program = '/run/app/ldirectord-ng'

/**
 * Our unit files as they are, but for the place of the program; `directory` is where it runs and so looks for a
 * configuration.
 */
export async function bootSystemd(host: Host, directory: string): Promise<Systemd> {
  mkdirSync(units, { recursive: true })
  for (const name of ['sysinit', 'basic', 'shutdown', 'multi-user', 'network-online', 'nss-lookup', 'lab']) {
    writeFileSync(`${units}/${name}.target`, `[Unit]\nDescription=${name}\n`)
  }
  for (const name of ['ldirectord-ng.service', 'ldirectord-ng@.service']) {
    const text = readFileSync(`systemd/${name}`, 'utf8').replaceAll('/usr/sbin/ldirectord-ng', program)
    writeFileSync(`${units}/${name}`, text.replace('[Service]', `[Service]\nWorkingDirectory=${directory}`))
  }
  const child = host.spawn('sh', ['-ec', boot(resolve('.'))])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const pid = await eventually(
    'systemd',
    () => managerOf(child),
    { withinMs: 10_000 },
    () => said,
  )
  const systemctl: Systemd['systemctl'] = (...words) =>
    host.run('nsenter', '-t', pid, '-p', '-m', 'systemctl', '--no-pager', ...words)
  let last: Ran | undefined
  const isUp = async (): Promise<true | undefined> => {
    last = await systemctl('is-active', 'lab.target')
    return last.code === 0 ? true : undefined
  }
  await eventually('a systemd that is up', isUp, { withinMs: 15_000 }, () => `${said}\n${JSON.stringify(last)}`)
  return {
    systemctl,
    property: async (unit, name) => (await systemctl('show', '--value', '-p', name, unit)).stdout.trim(),
    log: () => said,
    close: async () => {
      const ended = new Promise((settle) => child.once('exit', settle))
      child.kill('SIGKILL')
      await ended
    },
  }
}

function boot(checkout: string): string {
  return `
    mount -t cgroup2 none /sys/fs/cgroup
    mkdir -p /run/systemd/system /run/app/checkout
    mount --bind ${checkout} /run/app/checkout
    touch /run/app/node && mount --bind ${process.execPath} /run/app/node
    printf '#!/bin/sh\\nexec /run/app/node /run/app/checkout/bin/ldirectord-ng "$@"\\n' >${program}
    chmod 755 ${program}
    export container=lab SYSTEMD_UNIT_PATH=${units}
    exec unshare --pid --fork --kill-child --mount --mount-proc --propagation unchanged \
      /lib/systemd/systemd --system --unit=lab.target --log-target=console --show-status=no`
}

/** `ip netns exec`, `sh` and `unshare` are one process after the other; systemd becomes its child. */
function managerOf({ pid }: ChildProcess): string | undefined {
  const read = (path: string): string => readFileSync(`/proc/${path}`, 'utf8').trim()
  try {
    const [first = ''] = read(`${pid}/task/${pid}/children`).split(' ')
    return read(`${first}/comm`) === 'systemd' ? first : undefined
  } catch {
    return undefined
  }
}
