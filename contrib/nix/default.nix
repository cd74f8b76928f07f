# For Nix: `nix-build contrib/nix` in the directory of the source, then result/bin/ostfs. On NixOS, `fusermount3` is among the
# wrappers of the system; elsewhere it comes from the distribution.
{ pkgs ? import <nixpkgs> { } }:

pkgs.rustPlatform.buildRustPackage {
  pname = "ostfs";
  version = "0.1.0";
  src = pkgs.lib.cleanSource ../..;
  cargoLock.lockFile = ../../Cargo.lock;
  # The tests need programs of others, a FUSE device and a network.
  doCheck = false;
  postInstall = ''
    cargo run --release --offline --example manual -- $out/share
    install -Dm644 contrib/desktop/*.desktop -t $out/share/applications
    install -Dm644 contrib/desktop/ostfs.xml -t $out/share/mime/packages
    install -Dm644 contrib/desktop/ostfs.metainfo.xml -t $out/share/metainfo
  '';
  meta = with pkgs.lib; {
    description = "Mount Outlook data files (OST, PST) as a read-only folder";
    license = with licenses; [ mit asl20 ];
    platforms = platforms.linux;
    mainProgram = "ostfs";
  };
}
