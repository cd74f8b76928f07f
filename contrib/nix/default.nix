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
    icons=$out/share/icons/hicolor/scalable
    install -Dm644 contrib/desktop/ostfs.svg -t $icons/apps
    mkdir $icons/mimetypes
    for kind in pst ost; do ln -s ../apps/ostfs.svg $icons/mimetypes/application-vnd.ms-outlook-$kind.svg; done
    install -Dm644 contrib/desktop/ostfs.metainfo.xml -t $out/share/metainfo
  '';
  meta = with pkgs.lib; {
    description = "Mount Outlook data files (OST, PST) as a read-only folder";
    license = with licenses; [ mit asl20 ];
    platforms = platforms.linux;
    mainProgram = "ostfs";
  };
}
