import { type Facts, known, type ProgramFile } from '../../src/doctor/facts.ts'
import { type Cases, gate, good, lost, masq, virtual } from './case.ts'

const missing: ProgramFile = { kind: 'missing' }
const withProgram = (name: string, file: ProgramFile): Partial<Facts> => ({
  programs: new Map([...good.programs, [name, known(file)]]),
})
const mode = (bits: number, gid = 0): Partial<Facts> => ({
  configFile: known({ mode: bits, uid: 0, gid, mtimeMs: 0 }),
})

export const fileCases: Cases = {
  'of programs': [
    {
      name: 'an error for a checkcommand that does not exist',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external', 'checkcommand = /opt/check'),
      facts: withProgram('/opt/check', missing),
      says: ['error program 1'],
    },
    {
      name: 'an error for one that may not be executed',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external', 'checkcommand = /opt/check'),
      facts: withProgram('/opt/check', { kind: 'file', mode: 0o644 }),
      says: ['error program 1'],
    },
    {
      name: 'an error for a folder',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external', 'checkcommand = /opt/check'),
      facts: withProgram('/opt/check', { kind: 'no-file' }),
      says: ['error program 1'],
    },
    {
      name: 'nothing where blanks turn out to separate arguments',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external', 'checkcommand = "/opt/check -v"'),
      facts: {
        programs: new Map([
          ['/opt/check -v', known(missing)],
          ['/opt/check', known<ProgramFile>({ kind: 'file', mode: 0o755 })],
        ]),
      },
      says: [],
    },
    {
      name: 'nothing of a command that no real server is checked by',
      config: virtual('checktype = external', 'checkcommand = /opt/check'),
      facts: withProgram('/opt/check', missing),
      says: [],
    },
    {
      name: 'nothing of the execute bit of a piece of Perl',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external-perl', 'checkcommand = /opt/check.pl'),
      facts: withProgram('/opt/check.pl', { kind: 'file', mode: 0o644 }),
      says: [],
    },
    {
      name: 'an error without perl for a piece of Perl',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external-perl'),
      facts: withProgram('perl', missing),
      says: ['error program 1'],
    },
    {
      name: 'an error without ping for ping checks, once',
      config: `${virtual('real = 10.0.0.2:80 gate', 'checktype = ping')}virtual = 192.0.2.11:80\n    real = 10.0.0.3:80 gate\n    checktype = ping\n`,
      facts: withProgram('ping', missing),
      says: ['error program 1'],
    },
    { name: 'nothing without ping where nobody pings', config: gate, facts: withProgram('ping', missing), says: [] },
    {
      name: 'warnings of a callback, a fallback and an alert command that are not there',
      config: `callback = "/opt/callback"\n${virtual('fallbackcommand = "/opt/fallback stop"', 'alertcommand = /opt/alert x')}`,
      facts: {
        programs: new Map(['/opt/callback', '/opt/fallback', '/opt/alert'].map((name) => [name, known(missing)])),
      },
      says: ['warning program 2', 'warning program 2', 'warning program 1'],
    },
    {
      name: 'nothing of a fallback command that only a shell can read',
      config: virtual('fallbackcommand = "cd /opt && ./fallback"'),
      says: [],
    },
    {
      name: 'a warning of one that the systemd unit hides from the daemon',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external', 'checkcommand = /home/me/check'),
      facts: { ...withProgram('/home/me/check', { kind: 'file', mode: 0o755 }), hasUnit: true },
      says: ['warning hidden-program 1'],
    },
    {
      name: 'nothing of that without the unit',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = external', 'checkcommand = /home/me/check'),
      facts: withProgram('/home/me/check', { kind: 'file', mode: 0o755 }),
      says: [],
    },
    {
      name: 'that it could not look',
      config: virtual('real = 10.0.0.2:80 gate', 'checktype = ping'),
      facts: { programs: new Map([['ping', lost]]) },
      says: ['unseen it'],
    },
  ],
  'of the permissions of the file': [
    {
      name: 'a warning when everybody may read a password, at its line',
      config: virtual('service = http', 'passwd = "x"'),
      facts: mode(0o644),
      says: ['warning readable-secrets 3'],
    },
    {
      name: 'a warning for the password of the mail server',
      config: `${masq}smtppasswd = "x"\n`,
      facts: mode(0o644),
      says: ['warning readable-secrets 3'],
    },
    {
      name: 'nothing when only root and its group may',
      config: virtual('service = http', 'passwd = "x"'),
      facts: mode(0o640),
      says: [],
    },
    {
      name: 'nothing when there is no password, a comment aside',
      config: virtual('service = ftp', '# passwd = "x"'),
      facts: mode(0o644),
      says: [],
    },
    {
      name: 'an error when everybody may write it',
      config: gate,
      facts: mode(0o646),
      says: ['error writable-config 1'],
    },
    {
      name: 'a warning when a group may that is not root',
      config: gate,
      facts: mode(0o660, 1000),
      says: ['warning writable-config 1'],
    },
    { name: "nothing when root's group may", config: gate, facts: mode(0o660), says: [] },
    { name: 'that it could not look', config: gate, facts: { configFile: lost }, says: ['unseen it'] },
  ],
  'of the clock': [
    {
      name: 'a remark when nothing keeps it',
      config: gate,
      facts: { clock: { nowMs: 1_700_000_000_000, keepers: [] } },
      says: ['info clock 1'],
    },
    {
      name: 'an error when it stands long before the file',
      config: gate,
      facts: { clock: { nowMs: 0, keepers: ['chrony'] } },
      says: ['error clock 1'],
    },
  ],
}
