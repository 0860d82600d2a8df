import com.android.apksig.ApkSigner;
import com.android.tools.r8.D8;
import com.android.tools.r8.D8Command;
import com.android.tools.r8.R8;
import com.android.tools.r8.R8Command;
import com.android.tools.r8.origin.Origin;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.List;
import javax.tools.ToolProvider;
import proguard.Configuration;
import proguard.ConfigurationParser;
import proguard.ProGuard;

/**
 * Runs compilers and shrinkers job after job in one warm virtual machine.
 *
 * A job is a line: the tool and its command line, separated by tabs. The answer is one line: {@code ok} and
 * milliseconds, or {@code failed} and the reason.
 */
public final class Driver {
  public static void main(String[] words) throws Exception {
    PrintStream answers = System.out;
    System.setOut(System.err);
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      long start = System.nanoTime();
      String[] parts = line.split("\t", -1);
      System.err.println("== " + line);
      try {
        run(parts[0], Arrays.copyOfRange(parts, 1, parts.length));
        answers.println("ok " + (System.nanoTime() - start) / 1_000_000);
      } catch (Exception | LinkageError | AssertionError | StackOverflowError wrong) {
        wrong.printStackTrace();
        answers.println("failed " + String.valueOf(wrong).replaceAll("\\s+", " "));
      }
      answers.flush();
    }
  }

  private static void run(String tool, String[] options) throws Exception {
    switch (tool) {
      case "javac":
        javac(options);
        break;
      case "d8":
        D8.run(D8Command.parse(options, Origin.root()).build());
        break;
      case "r8":
        R8.run(R8Command.parse(options, Origin.root()).build());
        break;
      case "proguard":
        proguard(options);
        break;
      case "sign":
        sign(options[0], options[1], options[2], options[3]);
        break;
      default:
        throw new IllegalArgumentException("no tool called " + tool);
    }
  }

  private static void javac(String[] options) {
    int status = ToolProvider.getSystemJavaCompiler().run(null, System.err, System.err, options);
    if (status != 0) {
      throw new IllegalStateException("javac ends with status " + status);
    }
  }

  private static void proguard(String[] options) throws Exception {
    Configuration configuration = new Configuration();
    ConfigurationParser parser = new ConfigurationParser(options, System.getProperties());
    try {
      parser.parse(configuration);
    } finally {
      parser.close();
    }
    new ProGuard(configuration).execute();
  }

  private static void sign(String key, String certificate, String input, String output) throws Exception {
    PKCS8EncodedKeySpec bytes = new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(key)));
    X509Certificate own;
    try (InputStream stream = Files.newInputStream(Path.of(certificate))) {
      own = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(stream);
    }
    PrivateKey secret = KeyFactory.getInstance(own.getPublicKey().getAlgorithm()).generatePrivate(bytes);
    ApkSigner.SignerConfig signer = new ApkSigner.SignerConfig.Builder("host", secret, List.of(own)).build();
    ApkSigner.Builder job = new ApkSigner.Builder(List.of(signer));
    job.setInputApk(new File(input)).setOutputApk(new File(output)).setV1SigningEnabled(false);
    job.build().sign();
  }
}
