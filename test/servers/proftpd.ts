import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type RunningServer, type Site, startServer } from './harness.ts'
import type { Program } from './needs.ts'

export const proftpdPrograms: readonly Program[] = ['proftpd', 'perl']

export interface Proftpd extends RunningServer {
  readonly port: number
  /** Of the files, with a slash at the end. */
  readonly root: string
}

/** ProFTPD on both loopback families; account `probe`, password `secret`. */
export async function startProftpd(): Promise<Proftpd> {
  const server = await startServer({
    program: 'proftpd',
    ports: 1,
    prepare: async (site) => {
      const { directory, run } = site
      await mkdir(join(directory, 'root'))
      for (const [name, content] of Object.entries(files)) await writeFile(join(directory, 'root', name), content)
      await writeFile(join(directory, 'root', 'private.txt'), 'private', { mode: 0 })
      const names = (await run('perl', ['-e', accounts, directory])).split(' ')
      await writeFile(join(directory, 'proftpd.conf'), config(site, names))
    },
    args: ({ directory }) => ['--nodaemon', '-q', '-c', join(directory, 'proftpd.conf')],
    isReady: (site) => greets(site),
  })
  const [port = 0] = server.ports
  return { ...server, port, root: `${join(server.directory, 'root')}/` }
}

const files = {
  'alive.txt': 'Still alive\n',
  'empty.txt': '',
  'with blanks.txt': 'blank\n',
  'large.bin': `${'x'.repeat(3 << 20)}the end`,
}

/** The two files that only the server's own account may read; prints the names of that account. */
const accounts = `umask 077; my ($dir) = @ARGV; my $gid = $) + 0; my $hash = crypt('secret', '$5$salt');
  open(my $p, '>', "$dir/passwd"); print $p "probe:$hash:$>:$gid\\::$dir/root:/bin/sh\\n"; close $p;
  my $group = getgrgid($gid); open(my $g, '>', "$dir/group"); print $g "$group:x:$gid:\\n"; close $g;
  print scalar(getpwuid($>)), ' ', $group`

function config({ directory, ports: [port] }: Site, [user, group]: readonly string[]): string {
  return `
ServerType standalone
ServerName probe
DefaultAddress 127.0.0.1 ::1
Port ${port}
UseIPv6 on
UseReverseDNS off
RequireValidShell off
User ${user}
Group ${group}
PidFile ${directory}/pid
ScoreboardFile ${directory}/scoreboard
DelayEngine off
ControlsEngine off
WtmpLog off
TransferLog none
SystemLog none
MaxInstances 60
AuthOrder mod_auth_file.c
AuthUserFile ${directory}/passwd
AuthGroupFile ${directory}/group
`
}

function greets({ ports: [port = 0] }: Site): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('error', reject)
    socket.once('close', () => resolve(false))
    socket.once('data', (greeting) => {
      resolve(greeting.toString().startsWith('220'))
      socket.destroy()
    })
  })
}
