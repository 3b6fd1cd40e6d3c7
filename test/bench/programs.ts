import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { command } from '../kernel/lab/director.ts'
import { page } from './servers.ts'

export const programs = ['ours', 'perl', 'keepalived'] as const
export type Program = (typeof programs)[number]

/** One virtual service, to be said in either language. */
export interface Pool {
  readonly check: 'http' | 'connect' | 'on'
  readonly reals: readonly string[]
  readonly port: number
  readonly intervalSeconds: number
  /** Of the last real server; the others have 1. */
  readonly lastWeight?: number
}

interface Peer {
  readonly title: string
  /** The file that must be there, and how it is got. */
  readonly needs?: { readonly file: string; readonly package: string }
  readonly config: (pool: Pool) => string
  /** Runs in the foreground. */
  readonly command: (config: string) => readonly string[]
}

export const timeoutSeconds = 2
const virtualAddress = '10.9.9.1'

export const peers: Readonly<Record<Program, Peer>> = {
  ours: {
    title: 'ldirectord-ng',
    config: ldirectordConfig,
    command: (config) => [...command, 'run', config, '--log', 'stdout'],
  },
  perl: {
    title: 'Perl ldirectord',
    needs: { file: '/usr/sbin/ldirectord', package: 'ldirectord' },
    config: ldirectordConfig,
    command: (config) => ['/usr/sbin/ldirectord', config, 'start'],
  },
  keepalived: {
    title: 'keepalived',
    needs: { file: '/usr/sbin/keepalived', package: 'keepalived' },
    config: keepalivedConfig,
    command: (config) => [
      '/usr/sbin/keepalived',
      '--check',
      '--dont-fork',
      '--log-console',
      `--use-file=${config}`,
      `--pid=${config}.pid`,
      `--checkers_pid=${config}.checkers.pid`,
    ],
  },
}

export const isThere = (program: Program): boolean => {
  const { needs } = peers[program]
  return needs === undefined || existsSync(needs.file)
}

/** As Debian numbers it. */
export function versionOf(program: Program): string {
  const { needs } = peers[program]
  if (needs === undefined) return ''
  return execFileSync('dpkg-query', ['-W', needs.package], { encoding: 'utf8' }).trim().split('\t')[1] ?? ''
}

const weightOf = ({ reals, lastWeight = 1 }: Pool, at: number): number => (at === reals.length - 1 ? lastWeight : 1)

function ldirectordConfig(pool: Pool): string {
  const reals = pool.reals.map((real, at) => `    real=${real}:${pool.port} masq ${weightOf(pool, at)}\n`)
  const http = `    checktype=negotiate\n    service=http\n    request="index.html"\n    receive="${page}"\n`
  return `checktimeout=${timeoutSeconds}
negotiatetimeout=${timeoutSeconds}
checkinterval=${pool.intervalSeconds}
quiescent=no
supervised=yes
virtual=${virtualAddress}:${pool.port}
${reals.join('')}    scheduler=rr
    protocol=tcp
${pool.check === 'http' ? http : `    checktype=${pool.check}\n`}`
}

function keepalivedConfig(pool: Pool): string {
  // As many failures as the others need: one.
  const common = `connect_timeout ${timeoutSeconds}\n      retry 0`
  const checks = {
    http: `HTTP_GET {\n      url {\n        path /index.html\n        status_code 200\n        regex "${page}"\n      }\n      ${common}\n    }`,
    connect: `TCP_CHECK {\n      ${common}\n    }`,
    on: '',
  }
  const real = (address: string, at: number): string => `  real_server ${address} ${pool.port} {
    weight ${weightOf(pool, at)}
    ${checks[pool.check]}
  }
`
  return `virtual_server ${virtualAddress} ${pool.port} {
  delay_loop ${pool.intervalSeconds}
  lb_algo rr
  lb_kind NAT
  protocol TCP
${pool.reals.map(real).join('')}}
`
}
