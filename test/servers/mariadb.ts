import { join } from 'node:path'
import { type RunningServer, type Site, startServer } from './harness.ts'
import type { Program } from './needs.ts'

export const mariadbPrograms: readonly Program[] = ['mariadbd', 'mariadb-install-db', 'mariadb']

export interface Mariadb extends RunningServer {
  readonly port: number
  /** Statements as the administrator, over the Unix socket. */
  execute(sql: string): Promise<string>
}

export interface MariadbWish {
  /** So many aborted handshakes block a host; the server then asks for the names of its clients. */
  readonly blocksAfter?: number
}

/**
 * MariaDB on both loopback families; database `ldirectord` with table `alive`, accounts `probe`
 * (there) and `reader` (everywhere), password `secret`. No account may come from ::1.
 */
export async function startMariadb({ blocksAfter }: MariadbWish = {}): Promise<Mariadb> {
  const names = blocksAfter === undefined ? '--skip-name-resolve' : `--max-connect-errors=${blocksAfter}`
  const server = await startServer({
    program: 'mariadbd',
    ports: 1,
    prepare: async ({ directory, run }) => {
      await run('mariadb-install-db', [
        ...['--no-defaults', `--datadir=${directory}/data`, '--auth-root-authentication-method=normal'],
        ...['--skip-test-db', '--skip-name-resolve'],
      ])
    },
    args: ({ directory, ports: [port] }) => [
      ...['--no-defaults', `--datadir=${directory}/data`, `--socket=${directory}/s`, `--pid-file=${directory}/pid`],
      ...['--bind-address=127.0.0.1,::1', `--port=${port}`, names, '--performance-schema=0'],
      ...['--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M', '--innodb-flush-log-at-trx-commit=0'],
    ],
    isReady: async (site) => (await execute(site, 'select 1')).includes('1'),
  })
  await execute(server, accounts)
  const [port = 0] = server.ports
  return { ...server, port, execute: (sql) => execute(server, sql) }
}

const accounts = `create database ldirectord;
  create table ldirectord.alive (id int primary key, ok int); insert into ldirectord.alive values (1,1);
  create table ldirectord.empty (id int primary key);
  create user probe@'127.0.0.1' identified by 'secret'; grant select, update on ldirectord.* to probe@'127.0.0.1';
  create user reader@'127.0.0.1' identified by 'secret'; grant select on *.* to reader@'127.0.0.1';
  drop user root@'::1'`

function execute({ directory, run }: Site, sql: string): Promise<string> {
  return run('mariadb', ['--no-defaults', `--socket=${join(directory, 's')}`, '-uroot', '-e', sql])
}
