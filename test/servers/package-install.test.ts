import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { skipBecause } from '../tools/skip.ts'
import { createDisposableRoot, type DisposableRoot } from './disposable-root.ts'

const execute = promisify(execFile)
const next = '9.9.9'

/** Stands for systemd: tells what it was asked, and says of itself that one service and one instance run. */
const systemctl = `#!/bin/sh
echo "$*" >>/run/asked
case "$*" in
  *list-units*) printf 'ldirectord-ng.service loaded active running x\\nldirectord-ng@www.cf.service loaded active running x\\n' ;;
  *is-enabled*) echo enabled ;;
esac
`

const example = '/usr/share/doc/ldirectord-ng/examples/ldirectord.cf'
const config = '/etc/ha.d/ldirectord.cf'
const wanted = '/etc/systemd/system/multi-user.target.wants/ldirectord-ng.service'
/** Every path where a package may leave something, but dpkg's own housekeeping. */
const listing =
  'find /etc /opt /run /srv /usr /var/lib /var/log -path /var/lib/dpkg -prune -o -not -path /var/log/dpkg.log -print | sort'

describe('the Debian package, installed', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'ldng-install-'))
  let root: DisposableRoot
  let install: string
  let pristine: ReadonlySet<string>

  before(async function () {
    if (!existsSync('/usr/bin/dpkg-deb')) skipBecause(this, 'this is no Debian')
    const made = await createDisposableRoot()
    if ('unavailable' in made) skipBecause(this, made.unavailable)
    root = made
    await build('first', [])
    await build('next', ['--version', next])
    await root.must('mkdir /tmp/deb')
    for (const name of ['first', 'next']) await root.bring(join(folder, `${name}.deb`), `/tmp/deb/${name}.deb`)
    // Only what concerns us runs: no service of this machine, no trigger of another package.
    await root.must(
      'dpkg --force-all --purge ldirectord >/dev/null 2>&1; rm -rf /etc/ha.d /usr/sbin/policy-rc.d /var/lib/ldirectord-ng /var/log/ldirectord.log*',
    )
    pristine = new Set(await lines(listing))
    const hasNode = await root.run('dpkg-query -W nodejs && test -x /usr/bin/node')
    install = hasNode.code === 0 ? 'dpkg --no-triggers -i' : 'dpkg --no-triggers --force-depends -i'
    if (hasNode.code !== 0) await root.must(`ln -sf ${process.execPath} /usr/bin/node`)
  })
  after(async () => {
    await root?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function build(name: string, words: readonly string[]): Promise<void> {
    const args = [resolve('dist/package/main.js'), '--out', join(folder, name), ...words]
    const { stdout } = await execute(process.execPath, args, { env: { ...process.env, NODE_V8_COVERAGE: '' } })
    await execute('mv', [stdout.trim(), join(folder, `${name}.deb`)])
  }
  const lines = async (script: string): Promise<string[]> => (await root.must(script)).trimEnd().split('\n')
  const changes = async (): Promise<{ left: string[]; lost: string[] }> => {
    const now = new Set(await lines(listing))
    return {
      left: [...now].filter((path) => !pristine.has(path)),
      lost: [...pristine].filter((path) => !now.has(path)),
    }
  }
  const asked = async (): Promise<string[]> =>
    (await lines('cat /run/asked; : >/run/asked')).filter((line) => !/list-units|is-|daemon-reload/.test(line))

  it('runs its command, its demo and its checks, and finds what was shipped with it', async () => {
    await root.must(`${install} /tmp/deb/first.deb`)
    assert.match(await root.must('ldirectord-ng --version'), /^ldirectord-ng \d+\.\d+\.\d+/)
    assert.equal((await root.run(`ldirectord-ng validate ${config}`)).code, 0)
    assert.deepEqual(await root.run('ldirectord-ng status'), {
      code: 3,
      output: `ldirectord is stopped for ${config}\n`,
    })
    assert.match(await root.must('ldirectord-ng demo'), /The sorry server|sorry server goes in/)
    // Loaded on use, each from its own file: the addon for the kernel, and the drivers of the checks.
    const closed = [
      'service=http',
      'service=mysql\n login="a"\n passwd="b"',
      'service=pgsql\n login="a"\n passwd="b"',
      'service=ldap',
      'service=oracle\n login="a"\n passwd="b"\n database="x"',
      'checktype=ping',
    ]
    const virtuals = closed.map(
      (text, n) => `virtual=192.0.2.${n + 1}:80\n real=127.0.0.1:9 masq\n ${text}\n checkport=9\n request="select 1"\n`,
    )
    await root.must(`printf '%s' '${virtuals.join('\n').replaceAll('\n ', '\n\t')}' >/tmp/all.cf`)
    const { code, output } = await root.run('ldirectord-ng check /tmp/all.cf')
    assert.equal(code, 1, output)
    assert.equal(output.match(/down +refused/g)?.length, 4, output)
    // The one whose driver is not in the package; its thread is.
    assert.match(output, /unknown .*needs the npm package oracledb, which is not installed/)
    // Against a server that answers all of them over HTTP: each driver gets as far as to look at what came.
    const server = "require('http').createServer((q, s) => s.end('ok')).listen(9009, '127.0.0.1')"
    const answered = virtuals
      .slice(0, 4)
      .join('\n')
      .replaceAll('127.0.0.1:9', '127.0.0.1:9009')
      .replaceAll('checkport=9', 'checkport=9009')
    await root.must(`printf '%s' '${`negotiatetimeout=3\n${answered}`.replaceAll('\n ', '\n\t')}' >/tmp/answered.cf`)
    const asked = await root.run(
      `/usr/bin/node -e "${server}" & sleep 1; ldirectord-ng check /tmp/answered.cf; code=$?; kill $!; exit $code`,
    )
    assert.equal(asked.code, 1, asked.output)
    assert.match(asked.output, /^tcp 192\.0\.2\.1:80 .* up .*HTTP 200/m)
    assert.equal(asked.output.match(/ down /g)?.length, 3, asked.output)
    assert.match((await root.run('ldirectord-ng plan --assume up /tmp/all.cf')).output, /ip_vs|-A -t 192\.0\.2\.1:80/i)
  })

  it('has given an example, which does nothing, and enabled the service on it', async () => {
    assert.equal((await root.run(`cmp ${config} ${example}`)).code, 0)
    assert.equal(await root.must(`stat -c '%a %U' ${config}`), '640 root\n')
    assert.equal((await root.run(`test -L ${wanted}`)).code, 0)
  })

  it('has units that systemd accepts', async function () {
    if (!existsSync('/usr/bin/systemd-analyze')) skipBecause(this, 'there is no systemd-analyze')
    const units = ['ldirectord-ng.service', 'ldirectord-ng@www.cf.service'].map(
      (name) => `/usr/lib/systemd/system/${name}`,
    )
    await root.must(
      'cp /usr/lib/systemd/system/ldirectord-ng@.service /usr/lib/systemd/system/ldirectord-ng@www.cf.service',
    )
    const { code, output } = await root.run(`systemd-analyze verify ${units.join(' ')}`)
    await root.must('rm /usr/lib/systemd/system/ldirectord-ng@www.cf.service')
    assert.deepEqual(
      { code, own: output.split('\n').filter((line) => line.includes('ldirectord')) },
      { code: 0, own: [] },
    )
  })

  it('completes verbs, options, their values and configurations in bash', async () => {
    const complete = async (...words: readonly string[]): Promise<string[]> => {
      const quoted = ['ldirectord-ng', ...words].map((word) => `"${word}"`).join(' ')
      const script = `. /usr/share/bash-completion/completions/ldirectord-ng; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _ldirectord_ng; printf "%s\\n" "\${COMPREPLY[@]}"`
      return lines(`bash --norc -c '${script}'`)
    }
    assert.deepEqual(await complete('va'), ['validate'])
    assert.deepEqual(await complete('ldirectord.cf', 'rel'), ['reload'])
    assert.deepEqual(await complete('run', '--ta'), ['--table'])
    assert.deepEqual(await complete('www.cf', 'reload', '--'), ['--confirm'])
    assert.deepEqual(await complete('plan', '--assume', ''), ['up', 'down'])
    assert.deepEqual(await complete('validate', 'ldir'), ['ldirectord.cf'])
  })

  it('is upgraded under a running daemon, which then still ends in order', async () => {
    await root.must(
      "printf 'checktimeout=1\\nvirtual=192.0.2.1:80\\n\\treal=127.0.0.1:9 masq\\n\\tchecktype=connect\\n' >/tmp/old.cf",
    )
    const daemon = root.start('exec ldirectord-ng run /tmp/old.cf --table memory --log stdout')
    let log = ''
    const ready = new Promise<void>((settle) => {
      daemon.stdout?.on('data', (chunk: Buffer) => {
        log += chunk.toString()
        if (log.includes('Real server is down')) settle()
      })
    })
    const ended = new Promise<number | null>((settle) => daemon.once('close', settle))
    await Promise.race([ready, ended.then(() => assert.fail(log))])
    await root.must('echo "# mine" >>/etc/ha.d/ldirectord.cf')
    const output = await root.must(`${install} /tmp/deb/next.deb`)
    const pid = (await root.must('cat /run/ldirectord.old.cf.pid')).trim()
    assert.match(output, new RegExp(`pid ${pid} \\(/run/ldirectord.old.cf.pid\\) still runs the old program`))
    assert.equal(await root.must('ldirectord-ng --version | head -n 1'), `ldirectord-ng ${next} (Linux Director)\n`)
    assert.equal((await root.run('ldirectord-ng /tmp/old.cf status')).code, 0)
    assert.equal((await root.run('ldirectord-ng /tmp/old.cf stop')).code, 0)
    assert.equal(await ended, 0, log)
    assert.match(log, /terminated on signal: TERM/)
    assert.equal(await root.must(`tail -n 1 ${config}`), '# mine\n')
  })

  it('has systemd restart what runs and nothing else when it is upgraded, and end it when it is removed', async () => {
    await root.must(
      `mkdir -p /run/systemd/system; cat >/usr/local/sbin/systemctl <<'E'\n${systemctl}\nE\nchmod 755 /usr/local/sbin/systemctl`,
    )
    await root.must(`${install} /tmp/deb/next.deb`)
    assert.deepEqual(await asked(), ['try-restart ldirectord-ng.service', 'try-restart ldirectord-ng@www.cf.service'])
    await root.must('dpkg --no-triggers -r ldirectord-ng')
    assert.deepEqual(await asked(), ['stop ldirectord-ng.service', 'stop ldirectord-ng@www.cf.service'])
    assert.equal((await root.run('test -e /usr/sbin/ldirectord-ng')).code, 1)
    await root.must(`${install} /tmp/deb/next.deb`)
    // Ours says of everything that it runs.
    assert.equal((await asked())[0], '--quiet --system start ldirectord-ng.service')
    await root.must('rm -r /run/systemd /usr/local/sbin/systemctl /run/asked')
  })

  it('leaves the configuration that somebody has written, and nothing else, when it is purged', async () => {
    const output = await root.must('dpkg --no-triggers -P ldirectord-ng')
    assert.match(output, /ldirectord\.cf has been changed since its installation and stays/)
    assert.deepEqual(await changes(), { left: ['/etc/ha.d', config], lost: [] })
  })

  it('touches neither a configuration that is there nor the service, when it comes new beside it', async () => {
    await root.must(`mkdir -p /etc/ha.d; echo '# old' >${config}`)
    const output = await root.must(`${install} /tmp/deb/first.deb`)
    assert.match(output, /is there and stays as it is; the service is not started by itself/)
    assert.equal(await root.must(`cat ${config}`), '# old\n')
    assert.equal((await root.run(`test -L ${wanted}`)).code, 1)
    await root.must('dpkg --no-triggers -P ldirectord-ng')
    assert.equal(await root.must(`cat ${config}`), '# old\n')
  })

  it('leaves nothing at all when it is purged with its example as it was', async () => {
    await root.must('rm -r /etc/ha.d')
    await root.must(`${install} /tmp/deb/first.deb`)
    for (const path of [
      '/var/log/ldirectord.log',
      '/var/log/ldirectord.log.2.gz',
      '/var/lib/ldirectord-ng/www.cf.json',
    ]) {
      await root.must(`touch ${path}`)
    }
    await root.must('dpkg --no-triggers -P ldirectord-ng')
    assert.deepEqual(await changes(), { left: [], lost: [] })
  })

  it('has its rotation of the log beside that of Perl ldirectord', async function () {
    if (!existsSync('/usr/sbin/logrotate')) skipBecause(this, 'there is no logrotate')
    await root.must(
      `${install} /tmp/deb/first.deb; printf '/var/log/ldirectord.log {\\n missingok\\n}\\n' >/etc/logrotate.d/ldirectord`,
    )
    const output = await root.must(
      "printf 'include /etc/logrotate.d\\n' >/tmp/rotate; logrotate -d -s /tmp/state /tmp/rotate",
    )
    assert.doesNotMatch(output, /^error:.*ldirectord/m)
    assert.match(output, /ldirectord\.log +weekly \(8 rotations\)/)
  })
})
