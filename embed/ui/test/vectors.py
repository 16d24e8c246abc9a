"""Writes vectors.json: messages in the encrypted form of 3.x, made with the library and in the way of
the reference's own cryptor (RSA PKCS#1 v1.5 around a key of 32 bytes, AES-CTR). Needs
python3-cryptography; run it by hand, `python3 vectors.py > vectors.json`."""
import base64
import json
import os
import pickle

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def base64s(data):
    return base64.b64encode(data).decode()


def encrypt(data, public):
    key, iv = os.urandom(32), os.urandom(16)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    hidden = encryptor.update(data) + encryptor.finalize()
    return "$".join(base64s(part) for part in (public.encrypt(key, padding.PKCS1v15()), iv, hidden))


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


ours, other = (rsa.generate_private_key(public_exponent=65537, key_size=4096) for _ in range(2))
public = ours.public_key()
rows = [{"hospital": f"Hospital {i}", "patients": 100 + i, "age": 50.5 + i} for i in range(12)]
markup = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script><b>bold</b>"
print(json.dumps({
    "privateKey": pem(ours),
    "otherKey": pem(other),
    "publicKey": base64s(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)),
    "rows": encrypt(b"json." + json.dumps(rows).encode(), public),
    "markup": encrypt(b"json." + json.dumps({"note": markup, markup: 1}).encode(), public),
    "pickle": encrypt(pickle.dumps({"average": 54.2}), public),
    "empty": encrypt(b"", public),
    "plainMarkup": base64s(markup.encode()),
}, indent=1))
