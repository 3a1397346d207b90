# Installs the system call filter of the first argument on itself and becomes the rest. Only for a process that can gain
# no privileges any more. Numbers: prctl, seccomp; by architecture.
use strict;
my ($file, @program) = @ARGV;
open(my $input, '<:raw', $file) or die "filter.pl: $file: $!\n";
local $/ = undef;
my $filter = <$input>;
close($input);
my $is_arm = (-e '/lib/ld-linux-aarch64.so.1');
my $seccomp = $is_arm ? 277 : 317;
# struct sock_fprog: number of instructions, pointer to them.
my $description = pack('S x![P] P', length($filter) / 8, $filter);
syscall($seccomp, 1, 0, $description) == 0 or die "filter.pl: seccomp: $!\n";
exec { $program[0] } @program or die "filter.pl: $program[0]: $!\n";
