import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A Unix datagram socket as systemd has it: Node has none, Perl has. */
export interface NotifySocket {
  readonly path: string
  /** Each message, its lines separated by blanks, barriers left out. */
  readonly heard: readonly string[]
  close(): Promise<void>
}

const listener = `
use IO::Socket::UNIX; use Socket;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
$| = 1; print "listening\\n";
while (defined $s->recv(my $m, 65536)) { $m =~ s/\\n/ | /g; print "$m\\n" }
`

export async function listenAt(path: string): Promise<NotifySocket> {
  const child: ChildProcess = spawn('perl', ['-e', listener, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const heard: string[] = []
  let rest = ''
  let begun: () => void = () => undefined
  const listening = new Promise<void>((resolve) => {
    begun = resolve
  })
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === 'listening') begun()
      else if (line !== 'BARRIER=1') heard.push(line)
    }
  })
  await Promise.race([listening, once(child, 'exit')])
  return {
    path,
    heard,
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
