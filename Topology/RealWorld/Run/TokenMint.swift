import Mesh

/// Makes the secrets by which the hub knows the processes that this run started.
package enum TokenMint {
    /// Returns 128 bits from the kernel's random source, in hexadecimal.
    package static func token() -> String {
        var source = SystemRandomNumberGenerator()
        return Hex.text(source.next()) + Hex.text(source.next())
    }
}
