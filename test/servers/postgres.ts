import { appendFile, chmod, copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../src/lib/errors.ts'
import { makeCertificate } from './certificate.ts'
import { type RunningServer, type ServerPlan, type Site, startServer } from './harness.ts'
import type { Program } from './needs.ts'

export const postgresPrograms: readonly Program[] = ['postgres', 'initdb', 'psql', 'openssl']

export interface Postgres extends RunningServer {
  readonly port: number
  /** Statements as the administrator, over the Unix socket. */
  execute(sql: string): Promise<string>
}

const plan: ServerPlan = {
  program: 'postgres',
  ports: 1,
  prepare: async (site) => {
    const data = join(site.directory, 'data')
    await writeFile(join(site.directory, 'pw'), 'secret\n')
    const speed = ['--no-sync', '--no-instructions', '-E', 'UTF8', '--locale=C']
    const secret = ['--auth-host=scram-sha-256', '--auth-local=trust', `--pwfile=${site.directory}/pw`]
    await site.run('initdb', ['-D', data, '-U', 'postgres', ...secret, ...speed])
    const { key, cert } = await makeCertificate(site)
    await site.run('openssl', ['pkey', '-in', key, '-out', join(data, 'server.key')])
    await copyFile(cert, join(data, 'server.crt'))
    await chmod(join(data, 'server.key'), 0o600)
    await writeFile(join(data, 'pg_hba.conf'), access)
    await appendFile(join(data, 'postgresql.conf'), '\nssl = on\n')
  },
  args: ({ directory, ports: [port] }) => [
    ...['-D', join(directory, 'data'), '-h', '127.0.0.1,::1', '-p', `${port}`, '-k', directory],
    ...settings.flatMap((setting) => ['-c', setting]),
  ],
  isReady: async (site) => (await execute(site, 'select 1')).includes('1'),
}

/**
 * PostgreSQL on both loopback families, with TLS; database `ldirectord` with tables `alive` and `empty`, accounts `probe`
 * (reads both), `plain` (not over TLS) and `secure` (only over TLS), password `secret`, SCRAM; 20 connections.
 */
export async function startPostgres(): Promise<Postgres> {
  const server = await startServer(plan)
  await execute(server, 'create database ldirectord')
  await execute(server, accounts, 'ldirectord')
  const [port = 0] = server.ports
  return { ...server, port, execute: (sql) => execute(server, sql, 'ldirectord') }
}

/** One that never gets further than starting up: it waits for an archive that has nothing. */
export async function startStartingPostgres(): Promise<RunningServer> {
  return await startServer({
    ...plan,
    prepare: async (site) => {
      await plan.prepare?.(site)
      await writeFile(join(site.directory, 'data', 'standby.signal'), '')
    },
    args: (site) => [...plan.args(site), '-c', 'restore_command=sleep 3600'],
    isReady: async (site) => {
      const said = await execute(site, 'select 1').catch(messageOf)
      return said.includes('starting up')
    },
  })
}

const settings = ['fsync=off', 'shared_buffers=16MB', 'max_connections=20', 'superuser_reserved_connections=3']

const access = `local all all trust
hostnossl all plain 127.0.0.1/32 scram-sha-256
hostssl all secure 127.0.0.1/32 scram-sha-256
host all probe 127.0.0.1/32 scram-sha-256
host all probe ::1/128 scram-sha-256
host all old 127.0.0.1/32 md5
`

const accounts = `create table alive (id int primary key, ok int); insert into alive values (1, 1);
  create table empty (id int primary key); create table closed (id int primary key);
  create user probe password 'secret'; create user plain password 'secret'; create user secure password 'secret';
  set password_encryption = 'md5'; create user old password 'secret';
  grant select, update on alive, empty to probe, plain, secure, old`

function execute({ directory, ports: [port], run }: Site, sql: string, database = 'postgres'): Promise<string> {
  return run('psql', ['-X', '-h', directory, '-p', `${port}`, '-U', 'postgres', '-d', database, '-Atc', sql])
}
