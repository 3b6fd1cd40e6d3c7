import assert from 'node:assert/strict'
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { skipBecause } from '../tools/skip.ts'
import { unindent } from './lab/director.ts'
import { eventually } from './lab/eventually.ts'

const systemd = '/lib/systemd/systemd'

/**
 * A machine in this one, with systemd as its first process: the same files under a layer of their own, without any service
 * that is enabled on them. The network, and with it the IPVS table, is that of this kernel.
 */
const machine = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
cd "$0/root"
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires etc/rc?.d etc/init.d etc/fstab
rm -rf etc/ha.d usr/sbin/policy-rc.d var/lib/ldirectord-ng var/lib/systemd/deb-systemd-helper*
find lib/systemd/system/ -name '*.wants' -prune -exec rm -rf {} +
mkdir -p old proc sys dev run tmp
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t devtmpfs dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs var/log
pivot_root . old
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
umount -l /old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin ${systemd} --system --unit=basic.target --show-status=no
`

/** The kernel's table, without its counters. */
const tableNow = (): string => {
  const text = existsSync('/proc/net/ip_vs') ? readFileSync('/proc/net/ip_vs', 'utf8') : ''
  return text
    .split('\n')
    .slice(3)
    .join('\n')
    .replace(/ +\d+ +\d+ *$/gm, '')
}

const config = unindent(`
  virtual=192.0.2.1:80
  \treal=192.0.2.7:80 masq
  \tchecktype=on
  \tscheduler=rr
`)

describe('The package under systemd', function () {
  this.timeout(180_000)
  const folder = mkdtempSync(join(tmpdir(), 'systemd-'))
  let outer: ChildProcess | undefined
  let first = 0
  let said = ''

  before(async function () {
    if (!existsSync(systemd)) skipBecause(this, 'there is no systemd')
    buildBoth()
    execFileSync('modprobe', ['overlay'])
    const top = join(folder, 'machine')
    execFileSync('mkdir', [top])
    const words = ['--pid', '--fork', '--mount', '--cgroup', '--uts', '--ipc', 'sh', '-c', machine, top]
    outer = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    outer.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    first = await eventually('the first process of the machine', () => childOf(outer?.pid), { withinMs: 30_000 })
    const isUp = async (): Promise<true | undefined> =>
      (await inside('systemctl is-active basic.target')).code === 0 || undefined
    await eventually('systemd has started', isUp, { withinMs: 60_000 }, () => said)
    for (const name of ['first', 'next']) bring(name)
  })
  after(async () => {
    if (outer === undefined) return
    const ended = new Promise((settle) => outer?.once('close', settle))
    if (first > 0) process.kill(first, 'SIGKILL')
    else outer.kill('SIGKILL')
    await ended
  })

  /** The second is the first with another version in its control file: to pack it twice would cost ten seconds more. */
  function buildBoth(): void {
    const options = { cwd: process.cwd(), env: { ...process.env, NODE_V8_COVERAGE: '' }, stdio: 'pipe' } as const
    const args = [resolve('dist/package/main.js'), '--out', folder, '--version', '1.0.0']
    const file = execFileSync(process.execPath, args, options).toString().trim()
    const script = `
      mv "$1" "$0/first.deb"; dpkg-deb -R "$0/first.deb" "$0/tree"
      sed -i 's/^Version: .*/Version: 9.9.9/' "$0/tree/DEBIAN/control"
      dpkg-deb -Znone -b "$0/tree" "$0/next.deb" >/dev/null; rm -r "$0/tree"`
    execFileSync('sh', ['-ec', script, folder, file], options)
  }

  const enter = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'sh', '-c']
  const inside = (script: string): Promise<{ code: number; output: string }> =>
    new Promise((settle) => {
      const words = ['-t', String(first), '-p', '-m', '-C', ...enter, `exec 2>&1; ${script}`]
      const child = execFile('nsenter', words, { timeout: 90_000 }, (_, output) =>
        settle({ code: child.exitCode ?? -1, output }),
      )
    })
  const must = async (script: string): Promise<string> => {
    const { code, output } = await inside(script)
    if (code !== 0) throw new Error(`${script}\nended with ${code}: ${output}`)
    return output
  }
  const bring = (name: string): void => {
    const words = ['-t', String(first), '-m', 'sh', '-c', `cat >/tmp/${name}.deb`]
    execFileSync('nsenter', words, { input: readFileSync(join(folder, `${name}.deb`)) })
  }
  const install = (name: string): Promise<string> => must(`dpkg --no-triggers --force-depends -i /tmp/${name}.deb`)
  const unit = async (...names: readonly string[]): Promise<string[]> => {
    const shown = await must(`systemctl show ${names.map((name) => `-p ${name}`).join(' ')} ldirectord-ng`)
    const values = new Map(
      shown
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/=(.*)/) as [string, string]),
    )
    return names.map((name) => values.get(name) ?? '')
  }

  it('is installed: its service runs on the example, enabled, and says so', async () => {
    await install('first')
    assert.deepEqual(await unit('ActiveState', 'UnitFileState', 'StatusText'), [
      'active',
      'enabled',
      '0 virtuals, 0 of 0 reals up',
    ])
    assert.equal((await inside('ldirectord-ng status')).code, 0)
  })

  it('is upgraded: a new process serves, and the table has not changed for a moment', async () => {
    const words = ['-t', String(first), '-m', 'sh', '-c', 'cat >/etc/ha.d/ldirectord.cf']
    execFileSync('nsenter', words, { input: config })
    await must('systemctl reload ldirectord-ng')
    const served = await eventually('the virtual service in the table', () =>
      /^ +->/m.test(tableNow()) ? tableNow() : undefined,
    )
    const [before] = await unit('MainPID')
    const seen = new Set<string>()
    const watch = setInterval(() => seen.add(tableNow()), 10)
    await install('next')
    clearInterval(watch)
    const [after, state, text, restarts] = await unit('MainPID', 'ActiveState', 'StatusText', 'NRestarts')
    assert.notEqual(after, before)
    assert.deepEqual([state, text, restarts], ['active', '1 virtual, 1 of 1 reals up', '0'])
    assert.match(await must('ldirectord-ng --version'), /^ldirectord-ng 1\.0\.0 /)
    assert.deepEqual([...seen], [served])
  })

  it('is purged: the service has ended, the table is empty, and only the changed configuration is left', async () => {
    await must('dpkg --no-triggers -P ldirectord-ng')
    assert.equal(tableNow(), '')
    const left =
      'ls -d /etc/ha.d/* /run/*ldirectord* /var/lib/ldirectord-ng /usr/sbin/ldirectord-ng /etc/systemd/system/*/ldirectord* 2>/dev/null'
    assert.equal((await inside(left)).output, '/etc/ha.d/ldirectord.cf\n')
    assert.equal((await inside('systemctl is-active ldirectord-ng')).output, 'inactive\n')
  })
})

/** The first process of the new pid namespace is the child that `unshare` forks. */
function childOf(pid: number | undefined): number | undefined {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return child === undefined || child === '' ? undefined : Number(child)
}
