class Prefetch < Formula
  desc "{{description}}"
  homepage "{{base-url}}"
  url "{{url prefetch-VERSION.crate}}", using: :nounzip
  version "{{version}}"
  sha256 "{{sha256 prefetch-VERSION.crate}}"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "tar", "-xzf", "prefetch-#{version}.crate", "--strip-components=1"
    system "cargo", "install", *std_cargo_args
    generate_completions_from_executable(bin/"prefetch", "completions")
    system bin/"prefetch", "man-pages", man
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/prefetch --version")
    (testpath/"requirements.txt").write "six==1.17.0\n"
    assert_match "six", shell_output("#{bin}/prefetch parse requirements.txt")
  end
end
