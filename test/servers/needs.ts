import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { skipBecause } from '../tools/skip.ts'

/** The Debian package that brings a program that tests call. */
const packageOf = {
  dnsmasq: 'dnsmasq-base',
  dovecot: 'dovecot-imapd',
  env: 'coreutils',
  exim4: 'exim4-daemon-light',
  freeradius: 'freeradius',
  initdb: 'postgresql-15',
  ip: 'iproute2',
  kamailio: 'kamailio',
  'mariadb-install-db': 'mariadb-server-core',
  mariadb: 'mariadb-client-core',
  mariadbd: 'mariadb-server-core',
  nginx: 'nginx',
  openssl: 'openssl',
  perl: 'perl-base',
  ping: 'iputils-ping',
  postgres: 'postgresql-15',
  proftpd: 'proftpd-core',
  psql: 'postgresql-client-15',
  rsyslogd: 'rsyslog',
  slapd: 'slapd',
  squid: 'squid',
  tinyproxy: 'tinyproxy',
  unbound: 'unbound',
  unshare: 'util-linux',
} as const

export type Program = keyof typeof packageOf

/** Skips the suite (call it from `before`) or the test with a reason when a program is missing; CI fails on a skip. */
export function needs(context: Mocha.Context, ...programs: readonly Program[]): void {
  const missing = programs.filter((program) => findProgram(program) === undefined)
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((program) => packageOf[program]))].join(' ')
  skipBecause(context, `there is no ${missing.join(', ')}: apt-get install ${packages}`)
}

/** Its path; the directories of the administrator are looked in also where PATH lacks them. */
export function findProgram(program: Program): string | undefined {
  const { PATH: path } = process.env
  const directories = [...(path ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/lib/postgresql/15/bin']
  return directories.map((directory) => join(directory, program)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
