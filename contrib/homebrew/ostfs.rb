# For Homebrew on Linux. scripts/release puts it beside the source, with its checksum: brew install --formula ./ostfs.rb
# There is no homepage to name yet, which `brew audit` asks for.
class Ostfs < Formula
  desc "Mount Outlook data files (OST, PST) as a read-only folder"
  url "file://#{__dir__}/ostfs-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build
  depends_on :linux

  def install
    system "cargo", "install", *std_cargo_args
    bin.install_symlink "ostfs" => "mount.fuse.ostfs"
    system "cargo", "run", "--locked", "--example", "manual", "--", share
  end

  def caveats
    <<~EOS
      To mount as an ordinary user, install fuse3 of your distribution:
      its fusermount3 has the right to mount, that of Homebrew has not.
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/ostfs --version")
  end
end
