"""A certificate as a bank's own authority would issue it: for localhost, ECDSA, good for 89 days. Runs in the scanners'
environment, which has the package `cryptography`.  Usage: bank_ca.py FOLDER, which gets ca.crt, tls.crt and tls.key.
"""
import datetime, os, sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 89


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def begun(subject, issuer, key, of_issuer):
    """What authority and server have in common."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=DAYS) - datetime.timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(of_issuer.public_key()), False)


def usage(**set_):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in set_ for name in names})


def main(folder):
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer, subject = name_of("A bank's authority"), name_of("localhost")
    ca = begun(issuer, issuer, authority, authority).add_extension(x509.BasicConstraints(True, 0), True)
    ca = ca.add_extension(usage(key_cert_sign=True, crl_sign=True), True).sign(authority, hashes.SHA256())
    leaf = begun(subject, issuer, key, authority).add_extension(x509.BasicConstraints(False, None), True)
    leaf = leaf.add_extension(usage(digital_signature=True), True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    leaf = leaf.sign(authority, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, data in (("ca.crt", ca.public_bytes(pem)), ("tls.crt", leaf.public_bytes(pem)), ("tls.key", private)):
        with open(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
