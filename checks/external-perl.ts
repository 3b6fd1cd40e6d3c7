import { commandVerdict } from '../src/check/command/verdict.ts'
import type { Check } from '../src/check/contract.ts'
import { checkcommand } from '../src/check/fields.ts'
import { runCommand } from '../src/lib/run-command.ts'
import { unknown } from '../src/model/verdict.ts'
import { fourArguments } from './external.ts'

const fields = { checkcommand }

/**
 * The file is the body of a function: it finds the four arguments in @_, may return early, and `exit n` gives its status.
 * Whatever it throws, and whatever keeps it from being compiled, ends with status 255.
 */
const runAsFunction = `
my $file = shift @ARGV;
open(my $in, '<', $file) or do { print STDERR "$file: $!\\n"; exit 255 };
my $text = do { local $/; <$in> };
close $in;
$0 = $file;
(my $shown = $file) =~ tr/"\\r\\n//d;
my $body = eval "package main; no strict; no warnings; sub {\\n#line 1 \\"$shown\\"\\n$text\\n}";
if (!defined $body) { print STDERR $@; exit 255 }
eval { $body->(@ARGV); 1 } or do { print STDERR $@; exit 255 };
exit 0;
`

/** As external, the command being a piece of Perl; it runs in a child and is read anew each time (D32). */
export const externalPerl: Check<typeof fields> = {
  name: 'external-perl',
  kind: 'external',
  summary: 'runs checkcommand as the body of a Perl function, with the arguments of external',
  defaultForPorts: [],
  timeout: 'checktimeout',
  seesVirtual: true,
  fields,
  async run(target, { checkcommand: file }, { signal, step }) {
    step(`running perl on ${file}`)
    const args = ['-e', runAsFunction, '--', file, ...fourArguments(target)]
    const result = await runCommand({ file: 'perl', args }, signal)
    // EACCES: PATH has a directory that may not be entered.
    if (result.end.kind === 'not-started' && ['ENOENT', 'EACCES'].includes(result.end.code ?? '')) {
      return unknown('missing-tool', 'there is no perl in PATH to run it with')
    }
    return commandVerdict(file, result, signal)
  },
}
